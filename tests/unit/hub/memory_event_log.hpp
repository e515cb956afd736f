#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/ports/event_log.hpp"

namespace fluxora::hub::test {

/// A log in memory. What is asked waits until the test answers it, with the log as it is then.
class MemoryEventLog final : public ports::EventLog {
 public:
  struct Read {
    std::optional<std::uint64_t> after_seq;
    std::size_t limit = 0;
    ports::EventFilter filter;
  };

  /// Appends an entry and gives its seq. `stream_number` 0: an event that is no stream's.
  std::uint64_t append(std::uint64_t stream_number, const std::string& sender, const std::string& recipient);
  /// Appends an entry as it is, but for its seq, which it gives.
  std::uint64_t append(core::LogEntry entry);
  /// Appends `count` entries of stream 1.
  void append_many(std::size_t count);
  /// From now on it is an empty log of that epoch, which also answers what was asked before.
  void become(const std::string& epoch);
  /// Forgets what is below `oldest`.
  void prune(std::uint64_t oldest) { extent.oldest_seq = oldest; }
  [[nodiscard]] const core::LogEntry& entry(std::uint64_t seq) const { return entries_.at(seq - 1); }
  [[nodiscard]] std::vector<core::LogEntry> entries_after(std::uint64_t seq, std::size_t limit) const;

  void head(ports::Reply<ports::LogHead> reply) override;
  void read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
            ports::Reply<ports::EventPage> reply) override;

  [[nodiscard]] std::size_t waiting() const { return asked_.size(); }
  /// Answers the question asked `index` places after the oldest.
  void answer(std::size_t index = 0);

  ports::LogHead extent{"e1", 1, 0};
  std::size_t value_bytes = 0;                 ///< of the values of entries appended from now on
  std::optional<ports::StoreFailure> failure;  ///< the answer to everything while set
  std::vector<Read> reads;                     ///< every page that was asked for

 private:
  [[nodiscard]] ports::EventPage page(const Read& read) const;

  std::vector<core::LogEntry> entries_;
  std::deque<std::function<void()>> asked_;
};

/// The id of the stream with that number; empty for 0.
[[nodiscard]] std::string stream_id(std::uint64_t number);

}  // namespace fluxora::hub::test
