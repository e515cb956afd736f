#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/stream_writer.hpp"
#include "webhook_fan_out.hpp"

namespace fluxora::store {

/// A write that waits for its transaction.
struct PendingWrite {
  std::variant<ports::StreamCreation, ports::StreamChange> what;
  ports::Reply<ports::WriteAnswer> reply;
  std::chrono::steady_clock::time_point since;

  /// The creation's key, or null.
  [[nodiscard]] const ports::IdempotencyKey* key() const;
};

struct BatchOutcome {
  /// One for each write. None: another session's transaction works on the same key, so nothing was done for this one.
  std::vector<std::optional<ports::WriteAnswer>> answers;
  /// The transaction whose COMMIT was sent and not answered; empty: the answers stand.
  std::string in_doubt;
};

/// Does all the writes in one transaction, in their order. `partition_entries`: as LogEnd's. Throws as libpqxx does;
/// nothing was done then.
BatchOutcome write_batch(pqxx::connection& connection, WebhookFanOut& fan_out, std::uint64_t partition_entries,
                         const std::vector<PendingWrite>& writes);

/// How a transaction in doubt has ended; none: it hasn't yet.
std::optional<bool> has_committed(pqxx::connection& connection, const std::string& transaction);

/// What the creation with that key was answered, by any connection.
std::optional<ports::WriteAnswer> find_creation(pqxx::connection& connection, const ports::IdempotencyKey& key);

/// Removes keys past their time, a bounded number at once; true when there may be more.
bool remove_expired_keys(pqxx::connection& connection);

}  // namespace fluxora::store
