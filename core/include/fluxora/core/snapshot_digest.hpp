#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fluxora/core/bytes.hpp"

namespace fluxora::core {

/// All that is left of a stream in the pruned part of a log, as one hash with the streams before it: SHA-256 over the
/// XDR of the hash before it (32 bytes), the stream's id (a string), the `seq` of its newest pruned entry (u64) and
/// what the pruned entries left of it (an optional opaque: none where none was folded, no bytes where there is no
/// stream any more, otherwise encode_stream). Streams come in the ascending order of their ids' bytes; the hash before
/// the first is 32 zero bytes, and so is that of a snapshot without streams.
[[nodiscard]] Hash snapshot_digest(const Hash& previous, std::string_view stream_id, std::uint64_t last_seq,
                                   const std::optional<Bytes>& state);

}  // namespace fluxora::core
