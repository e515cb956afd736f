#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// The log's state when an answer was read, in the same snapshot as the answer.
struct ReadPoint {
  std::string epoch;
  std::uint64_t head_seq = 0;
  std::optional<core::UnixSeconds> indexed_at;  ///< close time of the last indexed ledger; none before the first
};

/// The moment that a stream's amounts are computed for when the caller names none: the later of the last indexed
/// ledger's close time and the stream's last change; the server's clock where nothing is indexed. SPEC section 2.
[[nodiscard]] inline core::UnixSeconds as_of(const core::Stream& stream, const ReadPoint& point,
                                             core::UnixSeconds now) {
  return std::max(static_cast<core::UnixSeconds>(stream.updated_at / 1000), point.indexed_at.value_or(now));
}

struct StreamAnswer {
  std::optional<core::Stream> stream;
  ReadPoint at;
  /// Of a stream that was there at the moment asked for, while what it was then was pruned: the second from which on
  /// that is known.
  std::optional<core::UnixSeconds> known_from{};
};

struct StreamsAnswer {
  std::vector<core::Stream> streams;
  ReadPoint at;
};

/// As callers filter: `scheduled` and `active` differ by the start time, which is compared at each stream's asOf.
enum class StatusFilter : std::uint8_t { scheduled, active, paused, completed, cancelled };

/// Where a page ended: the next one follows in the order newest creation first, then id.
struct ListPosition {
  std::uint64_t created_seq = 0;
  std::string id;
};

/// Which streams are meant; what isn't set doesn't matter.
struct StreamFilter {
  std::optional<StatusFilter> status;
  std::optional<std::string> sender;
  std::optional<std::string> recipient;
  core::UnixSeconds now = 0;  ///< the server's clock, for the status where nothing is indexed
};

struct StreamQuery : StreamFilter {
  std::uint64_t min_seq = newest;
  std::optional<ListPosition> after;
  std::size_t limit = 20;
  bool include_total = false;
};

struct StreamPage {
  std::vector<core::Stream> streams;
  bool has_more = false;
  std::optional<std::uint64_t> total;
  ReadPoint at;
};

/// Reads the streams, without blocking the caller. An answer shows everything that was committed when it was asked for,
/// or, where a replica gives it, at least the log up to `min_seq` as far as there is one.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  virtual void find(std::string id, std::uint64_t min_seq, Reply<StreamAnswer> reply) = 0;
  /// The stream as the log had it at `at`; none when it wasn't created by then, or known_from says why.
  virtual void find_as_of(std::string id, core::UnixSeconds at, std::uint64_t min_seq, Reply<StreamAnswer> reply) = 0;
  /// The streams of these ids that there are, in no order.
  virtual void find_all(std::vector<std::string> ids, std::uint64_t min_seq, Reply<StreamsAnswer> reply) = 0;
  /// Equal queries may be given one page between them.
  virtual void list(StreamQuery query, Reply<std::shared_ptr<const StreamPage>> reply) = 0;
};

}  // namespace fluxora::ports
