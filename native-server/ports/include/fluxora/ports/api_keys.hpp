#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// An API key as the database has it: its secret only as a SHA-256.
struct ApiKey {
  std::string id;  ///< 16 hexadecimal digits; part of the key, not secret
  std::string name;
  std::vector<std::string> scopes;
  core::Hash secret_hash{};
  core::UnixMillis created_at = 0;
  std::optional<core::UnixMillis> expires_at;
  std::optional<core::UnixMillis> last_used_at;  ///< to within five minutes
  std::optional<core::UnixMillis> revoked_at;
};

struct NewApiKey {
  std::string id;
  std::string name;
  std::vector<std::string> scopes;
  core::Hash secret_hash{};
  std::optional<core::UnixMillis> expires_at;
  /// A live key of the same name gets the new secret, scopes and expiry instead, and keeps its id.
  bool replace = false;
};

struct ApiKeyPage {
  std::vector<ApiKey> keys;  ///< newest first
  bool has_more = false;
};

/// The API keys. What changes them and the audit log's record of it are one transaction; `by` names who and from where,
/// action and target are filled in.
class ApiKeys {
 public:
  virtual ~ApiKeys() = default;
  /// For a request that shows the key: none when there is no such key. Notes that it was used, now and then.
  virtual void find(std::string id, Reply<std::optional<ApiKey>> reply) = 0;
  /// The keys older than `after`, or the newest.
  virtual void list(std::optional<std::string> after, std::size_t limit, Reply<ApiKeyPage> reply) = 0;
  virtual void create(NewApiKey key, AuditRecord by, Reply<ApiKey> reply) = 0;
  /// False when there is no such key; one that was revoked before stays so.
  virtual void revoke(std::string id, AuditRecord by, Reply<bool> reply) = 0;
};

}  // namespace fluxora::ports
