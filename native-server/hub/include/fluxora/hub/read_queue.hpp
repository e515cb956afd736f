#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "fluxora/ports/event_log.hpp"

namespace fluxora::hub {

/// A log that is read by few at once, first come first served, so that replays leave the store's readers to others.
/// Whoever asks for the head while such a question waits shares its answer. A session has one page on its way at a
/// time, so the queue is no longer than there are sessions, and each gets its turn.
class ReadQueue final : public ports::EventLog {
 public:
  /// The log outlives its last answer. `at_once`: 1 or more.
  ReadQueue(ports::EventLog& log, std::size_t at_once);

  void head(ports::Reply<ports::LogHead> reply) override;
  void read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
            ports::Reply<ports::EventPage> reply) override;

  /// Questions that wait. From any thread.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // answers may come when the queue is gone
};

}  // namespace fluxora::hub
