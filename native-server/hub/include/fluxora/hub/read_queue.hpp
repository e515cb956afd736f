#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "fluxora/ports/event_log.hpp"

namespace fluxora::hub {

/// The way to a log that is read by few at once, first come first served, so that replays leave the store's readers to
/// others. A session asks for its next page when it has got the last one, so each gets one page a turn, however many
/// it needs. From any thread.
class ReadQueue {
 public:
  /// The log outlives its last answer. `at_once`: 1 or more. Beyond `most_waiting` questions the answer is
  /// StoreFailure::busy.
  ReadQueue(ports::EventLog& log, std::size_t at_once, std::size_t most_waiting);

  /// Whoever asks for the head while such a question waits shares its answer.
  void head(ports::Reply<ports::LogHead> reply);
  /// As ports::EventLog::read(). When `asker` is gone by the time the question's turn comes, it isn't asked, and there
  /// is no answer.
  void read(std::weak_ptr<const void> asker, std::optional<std::uint64_t> after_seq, std::size_t limit,
            ports::EventFilter filter, ports::Reply<ports::EventPage> reply);

  /// Questions that wait.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // answers may come when the queue is gone
};

}  // namespace fluxora::hub
