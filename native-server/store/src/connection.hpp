#pragma once

#include <functional>
#include <memory>
#include <string>

#include <pqxx/pqxx>

#include "fluxora/store/store.hpp"

namespace fluxora::store {

/// A new connection. Throws pqxx::broken_connection.
std::unique_ptr<pqxx::connection> connect(const StoreOptions& options, std::string_view purpose,
                                          int statement_timeout_ms);

/// True for what goes away by itself when the database is back: lost connections, shutdowns, failovers.
[[nodiscard]] bool is_outage(const std::exception& error) noexcept;

/// One connection of a thread that blocks on it: opened when first used, dropped after any error. Calls `work` and
/// turns an outage into ports::StoreUnavailable; other errors pass.
class OwnConnection {
 public:
  OwnConnection(StoreOptions options, std::string purpose, int statement_timeout_ms)
      : options_(std::move(options)), purpose_(std::move(purpose)), statement_timeout_ms_(statement_timeout_ms) {}

  template <class Work>
  auto use(Work work) -> decltype(work(std::declval<pqxx::connection&>())) {
    try {
      if (!connection_) connection_ = connect(options_, purpose_, statement_timeout_ms_);
      return work(*connection_);
    } catch (const std::exception& error) {
      if (!is_outage(error)) throw;
      connection_.reset();
      throw ports::StoreUnavailable(error.what());
    }
  }

  [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr; }
  void close() noexcept { connection_.reset(); }

 private:
  StoreOptions options_;
  std::string purpose_;
  int statement_timeout_ms_;
  std::unique_ptr<pqxx::connection> connection_;
};

}  // namespace fluxora::store
