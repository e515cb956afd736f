#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/hmac_sha256.hpp"
#include "fluxora/ports/api_keys.hpp"
#include "fluxora/ports/audit_log.hpp"

namespace fluxora::api::test {

/// Keys in memory. Answers at once, or when the test says so.
class FakeKeys final : public ports::ApiKeys {
 public:
  void find(std::string id, ports::Reply<std::optional<ports::ApiKey>> reply) override {
    ++finds;
    auto answer = [this, id = std::move(id), reply = std::move(reply)] {
      if (failure) return reply(tl::unexpected(*failure));
      const auto key = keys.find(id);
      reply(key == keys.end() ? std::nullopt : std::optional(key->second));
    };
    hold ? held.push_back(std::move(answer)) : answer();
  }
  void list(std::optional<std::string> after, std::size_t limit, ports::Reply<ports::ApiKeyPage> reply) override {
    if (failure) return reply(tl::unexpected(*failure));
    listed_after = std::move(after);
    ports::ApiKeyPage page;
    for (const auto& [id, key] : keys) {
      page.has_more = page.keys.size() == limit;
      if (page.has_more) break;
      page.keys.push_back(key);
    }
    reply(std::move(page));
  }
  void create(ports::NewApiKey wanted, ports::AuditRecord by, ports::Reply<ports::ApiKey> reply) override {
    if (failure) return reply(tl::unexpected(*failure));
    created_by = std::move(by);
    ports::ApiKey key{wanted.id, wanted.name, wanted.scopes, wanted.secret_hash, 1'000, wanted.expires_at, {}, {}};
    keys[wanted.id] = key;
    reply(std::move(key));
  }
  void revoke(std::string id, ports::AuditRecord by, ports::Reply<bool> reply) override {
    if (failure) return reply(tl::unexpected(*failure));
    revoked_by = std::move(by);
    const auto key = keys.find(id);
    if (key != keys.end()) key->second.revoked_at = 2'000;
    reply(key != keys.end());
  }

  std::map<std::string, ports::ApiKey> keys;
  std::optional<ports::StoreFailure> failure;
  int finds = 0;
  bool hold = false;
  std::vector<std::function<void()>> held;
  std::optional<std::string> listed_after;
  ports::AuditRecord created_by;
  ports::AuditRecord revoked_by;
};

class FakeAudit final : public ports::AuditLog {
 public:
  void append(ports::AuditRecord record, ports::Reply<bool> reply) override {
    appended.push_back(std::move(record));
    reply(true);
  }
  void read(ports::AuditQuery query, ports::Reply<ports::AuditPage> reply) override {
    queries.push_back(std::move(query));
    reply(page);
  }

  std::vector<ports::AuditRecord> appended;
  std::vector<ports::AuditQuery> queries;
  ports::StoreResult<ports::AuditPage> page;
};

inline const std::string jwt_secret = "a secret of the tests, 32 bytes.";

/// A token with those claims, a JSON object.
[[nodiscard]] inline std::string signed_token(const std::string& claims, const std::string& secret = jwt_secret) {
  const std::string text = core::base64url_encode(core::as_bytes(R"({"alg":"HS256","typ":"JWT"})")) + "." +
                           core::base64url_encode(core::as_bytes(claims));
  const core::HmacSha256Key key(core::as_bytes(secret));
  return text + "." + core::base64url_encode(key.authenticate({core::as_bytes(text)}));
}

}  // namespace fluxora::api::test
