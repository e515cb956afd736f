#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fluxora/net/http_message.hpp"
#include "fluxora/ports/api_keys.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/rate_counts.hpp"

namespace fluxora::api {

/// What a route needs of its caller: a scope. Only stream writes can be public.
enum class Access : std::uint8_t { streams_write, webhooks_manage, indexer_write, admin };

/// As tokens and keys write it: "streams:write".
[[nodiscard]] std::string_view scope_name(Access access) noexcept;
[[nodiscard]] bool is_scope(std::string_view name) noexcept;

/// Who makes a request.
struct Caller {
  /// "key:<id>", "jwt:<sub>", "worker" or, without a credential, "address:<ip>".
  std::string id;
  std::string address;

  [[nodiscard]] bool anonymous() const noexcept { return id.rfind("address:", 0) == 0; }
};

struct AccessOptions {
  bool auth_required = false;           ///< false: stream writes are public
  std::string jwt_secret;               ///< HS256's; empty: no token is good
  std::uint32_t writes_a_window = 100;  ///< a client's, in rate_window_ms; 0: as many as it likes
  std::string worker_token{};           ///< good for indexer_write alone; empty: none is
  bool feed_auth_required = false;      ///< true: a feed is opened with a token of jwt_secret's, or not at all
};

inline constexpr core::UnixMillis rate_window_ms = 10'000;
/// How long a key goes on being good on other instances after it was revoked.
inline constexpr core::UnixMillis key_cache_life_ms = 5'000;

/// A handler that is told who asks. It may run on a thread of the store's or of RateCounts', and must not block either.
using GuardedHandler = std::function<void(const Caller&, std::shared_ptr<const net::Request>, net::Respond)>;

/// What lets a live feed go on.
struct FeedPass {
  std::optional<core::UnixSeconds> expires_at{};  ///< good while now is below it; none: without end

  [[nodiscard]] bool has_ended(core::UnixMillis now) const noexcept {
    return expires_at && now >= 0 && static_cast<core::UnixSeconds>(now) / 1000 >= *expires_at;
  }
};

/// Whether a live feed may be opened.
struct FeedAdmission {
  std::optional<net::Response> refusal{};  ///< 401 or 429; none: it may, with the pass
  FeedPass pass{};
};

/// Requests that were not let through. From any thread.
struct AccessStatistics {
  std::uint64_t denied_credentials = 0;  ///< 400 and 401: missing, unclear or bad ones
  std::uint64_t denied_scope = 0;        ///< 403
  std::uint64_t limited_writes = 0;      ///< 429: too many writes
  std::uint64_t limited_failures = 0;    ///< 429: too many bad credentials
};

/// Decides who may do what, and how often. One for the whole service, for all threads: a client's connections are
/// spread over the I/O threads, so counts a thread would multiply its limit; the lock is held for a lookup in a table.
class AccessControl {
 public:
  /// `fleet`, where there is one: who counts over all instances what is limited. All outlive it, or have ended before.
  AccessControl(AccessOptions options, ports::ApiKeys& keys, ports::AuditLog& audit, const ports::Clock& clock,
                ports::Log& log, ports::RateCounts* fleet = nullptr);
  ~AccessControl();
  AccessControl(const AccessControl&) = delete;
  AccessControl& operator=(const AccessControl&) = delete;

  /// Hands the request to the handler, or answers it: 400 (unclear credentials), 401, 403, 429, 503.
  void admit(Access access, std::shared_ptr<const net::Request> request, net::Respond respond,
             const GuardedHandler& handler);
  /// Feeds are open to all, or to those with a good token, of whatever scope. SPEC section 6, Auth.
  [[nodiscard]] FeedAdmission admit_feed(const net::Request& request);
  /// A key was changed here: the next request that shows it is checked anew.
  void forget_key(const std::string& id);
  [[nodiscard]] AccessStatistics statistics() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::api
