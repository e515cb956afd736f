#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/log_scan.hpp"

namespace fluxora::store {

using StreamRemains = ports::PrunedStream;

/// What the rows of `table` (events, or rows of it) below `seq` leave of streams: the next `limit` whose ids come
/// behind `after_id` (empty: the first), in the order of their ids' bytes. As core's snapshot_digest has them.
[[nodiscard]] std::vector<StreamRemains> read_remains(pqxx::transaction_base& sql, std::string_view table,
                                                      std::uint64_t seq, const std::string& after_id,
                                                      std::size_t limit);
/// The same of those of these streams that have such rows in `events`.
[[nodiscard]] std::vector<StreamRemains> read_remains_of(pqxx::transaction_base& sql, std::uint64_t seq,
                                                         const std::vector<std::string>& ids);

}  // namespace fluxora::store
