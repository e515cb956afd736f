#pragma once

#include "connection.hpp"
#include "fluxora/ports/event_log.hpp"

namespace fluxora::store {

/// The channel that every committed append notifies. A hint: whoever follows the log reads it by seq.
inline constexpr const char* log_channel = "fluxora_log";

class PostgresLogTail final : public ports::LogTail {
 public:
  explicit PostgresLogTail(StoreOptions options);
  ~PostgresLogTail() override;

  ports::LogHead head() override;
  ports::EventPage read_after(std::uint64_t seq, std::size_t limit) override;
  void wait(std::chrono::milliseconds timeout) override;

 private:
  class Listener;

  /// Before anything that may open a new connection in the old one's place.
  void drop_dead_listener();

  OwnConnection connection_;
  std::unique_ptr<Listener> listener_;  // belongs to the connection that is open
};

}  // namespace fluxora::store
