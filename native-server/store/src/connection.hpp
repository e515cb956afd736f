#pragma once

#include <cstdint>
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

/// Logs why a read has no answer, and says it as callers see it.
[[nodiscard]] ports::StoreFailure report_failure(const std::exception& error, ports::Log& log);

/// One connection of a thread that blocks on it, opened when first used. After an outage it stays, unusable, until it
/// is used again: whatever refers to it (a transaction, a listener) has to go before that, and may.
class OwnConnection {
 public:
  OwnConnection(StoreOptions options, std::string purpose, int statement_timeout_ms)
      : options_(std::move(options)), purpose_(std::move(purpose)), statement_timeout_ms_(statement_timeout_ms) {}

  /// Calls `work`. An outage becomes ports::StoreUnavailable; other errors pass and leave the connection as it is.
  template <class Work>
  auto use(Work work) -> decltype(work(std::declval<pqxx::connection&>())) {
    try {
      if (!is_open()) {
        connection_ = connect(options_, purpose_, statement_timeout_ms_);
        lost_ = false;
        ++openings_;
      }
      return work(*connection_);
    } catch (const std::exception& error) {
      if (!is_outage(error)) throw;
      lost_ = true;
      throw ports::StoreUnavailable(error.what());
    }
  }

  /// False before the first use and after an outage.
  [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr && !lost_; }
  void close() noexcept { connection_.reset(); }
  /// How often it was opened so far. What belongs to a session, its locks, is lost where this has changed.
  [[nodiscard]] std::uint64_t openings() const noexcept { return openings_; }

 private:
  StoreOptions options_;
  std::string purpose_;
  int statement_timeout_ms_;
  std::unique_ptr<pqxx::connection> connection_;
  bool lost_ = false;
  std::uint64_t openings_ = 0;
};

}  // namespace fluxora::store
