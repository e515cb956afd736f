#include "log_tail.hpp"

#include "event_log_reader.hpp"

namespace fluxora::store {

class PostgresLogTail::Listener final : public pqxx::notification_receiver {
 public:
  explicit Listener(pqxx::connection& connection) : pqxx::notification_receiver(connection, log_channel) {}
  void operator()(const std::string&, int) override {}  // being woken is all there is to it
};

PostgresLogTail::PostgresLogTail(StoreOptions options) : connection_(std::move(options), "tail", 30'000) {}

PostgresLogTail::~PostgresLogTail() = default;

void PostgresLogTail::drop_dead_listener() {
  if (!connection_.is_open()) listener_.reset();
}

ports::LogHead PostgresLogTail::head() {
  drop_dead_listener();
  return connection_.use([](pqxx::connection& connection) { return read_log_head(connection); });
}

ports::EventPage PostgresLogTail::read_after(std::uint64_t seq, std::size_t limit) {
  drop_dead_listener();
  return connection_.use([&](pqxx::connection& connection) { return read_entries_after(connection, seq, limit); });
}

void PostgresLogTail::wait(std::chrono::milliseconds timeout) {
  drop_dead_listener();
  connection_.use([&](pqxx::connection& connection) {
    if (!listener_) {
      // What was appended before LISTEN took effect has notified nobody: look once more before waiting.
      listener_ = std::make_unique<Listener>(connection);
      return;
    }
    connection.await_notification(static_cast<long>(timeout.count() / 1000),
                                  static_cast<long>(timeout.count() % 1000 * 1000));
  });
}

}  // namespace fluxora::store
