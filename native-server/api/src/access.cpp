#include "access.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>

#include <tl/expected.hpp>

#include "credentials.hpp"
#include "fluxora/api/api_key_text.hpp"
#include "fluxora/core/hmac_sha256.hpp"
#include "fluxora/core/jwt.hpp"
#include "fluxora/core/sha256.hpp"
#include "key_cache.hpp"
#include "problem.hpp"
#include "rate_limit.hpp"

namespace fluxora::api {
namespace {

constexpr std::array<std::string_view, 4> scopes = {"streams:write", "webhooks:manage", "indexer:write", "admin"};

// Bounds of what is remembered of clients.
constexpr std::size_t max_rated_clients = 10'000;
constexpr std::size_t max_remembered_keys = 1'000;
constexpr std::size_t max_subject_length = 255;
constexpr std::size_t max_audited_path = 256;

// Denials that the audit log takes: enough to see what is going on, too few to fill a disk with. The request log has
// all of them.
constexpr core::UnixMillis denial_window_ms = 60'000;
constexpr std::uint32_t denials_a_client = 10;
constexpr std::uint32_t denials_of_all = 100;

net::Response challenged(unsigned status, std::string_view detail, const net::Request& request,
                         const std::string& challenge, const std::vector<FieldProblem>& errors = {}) {
  net::Response response = problem(status, detail, request, errors);
  response.headers.emplace_back("WWW-Authenticate", challenge);
  return response;
}

// RFC 6750 section 3. Without a credential the challenge says nothing of an error.
const std::string challenge = "Bearer realm=\"fluxora\"";

net::Response no_credentials(const net::Request& request) {
  return challenged(401, "A bearer token or an API key is needed.", request, challenge);
}

net::Response no_feed_token(const net::Request& request) {
  return challenged(401, "A bearer token is needed: in Authorization, or as the parameter token.", request, challenge);
}

net::Response bad_credential(const net::Request& request, std::string_view why) {
  return challenged(401, why, request,
                    challenge + ", error=\"invalid_token\", error_description=\"" + std::string(why) + "\"");
}

net::Response unclear_credentials(const net::Request& request, const UnclearCredentials& unclear) {
  return challenged(400, std::string(unclear.field) + ": " + std::string(unclear.why), request,
                    challenge + ", error=\"invalid_request\"",
                    {{std::string(unclear.field), "VALIDATION_ERROR", std::string(unclear.why)}});
}

net::Response missing_scope(const net::Request& request, Access access) {
  const std::string scope(scope_name(access));
  return challenged(403, "The credential lacks the scope " + scope + ".", request,
                    challenge + ", error=\"insufficient_scope\", scope=\"" + scope + "\"");
}

bool is_write(const net::Request& request) {
  return request.method != "GET" && request.method != "HEAD";
}

/// Subjects go into the audit log, which a token's issuer must not be able to disturb.
bool is_usable_subject(std::string_view subject) {
  return subject.size() <= max_subject_length &&
         std::none_of(subject.begin(), subject.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

/// A path as text that any log takes.
std::string printable_path(std::string_view path) {
  std::string text = without_credentials(path).substr(0, max_audited_path);
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

std::string_view scope_name(Access access) noexcept {
  return scopes[static_cast<std::size_t>(access)];
}

bool is_scope(std::string_view name) noexcept {
  return std::find(scopes.begin(), scopes.end(), name) != scopes.end();
}

class AccessControl::Impl {
 public:
  Impl(AccessOptions options, ports::ApiKeys& keys, ports::AuditLog& audit, const ports::Clock& clock, ports::Log& log,
       ports::RateCounts* fleet)
      : auth_required_(options.auth_required),
        feed_auth_required_(options.feed_auth_required),
        audit_(audit),
        clock_(clock),
        log_(log),
        cache_(keys, clock, key_cache_life_ms, max_remembered_keys),
        writes_(options.writes_a_window, rate_window_ms, max_rated_clients, {fleet, "writes"}),
        failures_(options.writes_a_window, rate_window_ms, max_rated_clients, {fleet, "failures"}),
        denials_(denials_a_client, denial_window_ms, max_rated_clients),
        all_denials_(denials_of_all, denial_window_ms, 1) {
    if (!options.jwt_secret.empty()) jwt_key_.emplace(core::as_bytes(options.jwt_secret));
    core::wipe(options.jwt_secret);
    if (!options.worker_token.empty()) worker_token_hash_ = core::sha256(core::as_bytes(options.worker_token));
    core::wipe(options.worker_token);
  }

  /// A request on its way to its handler.
  struct Admission {
    Access access;
    std::shared_ptr<const net::Request> request;
    net::Respond respond;
    const GuardedHandler& handler;  ///< the route's
  };

  void admit(Admission admission) {
    const net::Request& request = *admission.request;
    const Credentials credentials = read_credentials(request, admission.access == Access::indexer_write);
    if (std::holds_alternative<NoCredentials>(credentials)) {
      if (!needs_credentials(admission.access)) return serve(admission, anonymous(request));
      return deny(admission, no_credentials(request));
    }
    if (const auto* unclear = std::get_if<UnclearCredentials>(&credentials)) {
      return deny(admission, unclear_credentials(request, *unclear));
    }
    if (std::holds_alternative<OtherScheme>(credentials)) return deny(admission, no_credentials(request));
    if (const auto* bearer = std::get_if<BearerToken>(&credentials)) return check_token(admission, bearer->token);
    if (const auto* worker = std::get_if<PresentedWorkerToken>(&credentials)) {
      return check_worker_token(admission, worker->token);
    }
    check_key(std::move(admission), std::get<PresentedApiKey>(credentials).text);
  }

  FeedAdmission admit_feed(const net::Request& request) {
    if (!feed_auth_required_) return {};
    const auto token = read_feed_token(request);
    if (!token) return {denied(no_feed_token(request)), {}};
    // First, and not only while the address may be wrong: those who share it with one that guesses keep their feeds.
    const auto claims = verify(*token);
    if (claims) return {{}, {claims->expires_at}};
    if (auto refusal = too_many_failures(request)) return {std::move(refusal), {}};
    return {denied_bad(request, claims.error()), {}};
  }

  void forget_key(const std::string& id) { cache_.forget(id); }

  [[nodiscard]] AccessStatistics statistics() const noexcept {
    return {denied_credentials_, denied_scope_, limited_writes_, limited_failures_};
  }

 private:
  [[nodiscard]] bool needs_credentials(Access access) const {
    return auth_required_ || access != Access::streams_write;
  }

  static Caller anonymous(const net::Request& request) {
    return {"address:" + request.remote_address, request.remote_address};
  }

  /// What a token says, or why it isn't good.
  [[nodiscard]] tl::expected<core::JwtClaims, std::string_view> verify(std::string_view token) const {
    if (!jwt_key_) return tl::unexpected(std::string_view("Tokens are not accepted here."));
    const auto now = static_cast<core::UnixSeconds>(std::max<core::UnixMillis>(clock_.now(), 0) / 1000);
    auto claims = core::verify_jwt(token, *jwt_key_, now);
    if (!claims) return tl::unexpected(core::error_message(claims.error().code));
    if (!is_usable_subject(claims->subject)) {
      return tl::unexpected(std::string_view("The token's subject can't be used."));
    }
    return std::move(*claims);
  }

  void check_token(const Admission& admission, std::string_view token) {
    if (refused_for_failures(admission)) return;
    const auto claims = verify(token);
    if (!claims) return deny_bad(admission, claims.error());
    const Caller caller{"jwt:" + claims->subject, admission.request->remote_address};
    if (!claims->has_scope(scope_name(admission.access))) return deny_scope(admission, caller);
    serve(admission, caller);
  }

  /// Of hashes, so that neither the time nor anything else says how much of the token was right.
  void check_worker_token(const Admission& admission, std::string_view token) {
    if (!worker_token_hash_) return deny_bad(admission, "Worker tokens are not accepted here.");
    if (refused_for_failures(admission)) return;
    if (!core::equal_in_constant_time(core::sha256(core::as_bytes(token)), *worker_token_hash_)) {
      return deny_bad(admission, "That is not the worker token.");
    }
    serve(admission, {"worker", admission.request->remote_address});
  }

  void check_key(Admission admission, std::string_view text) {
    const auto shown = parse_api_key(text);
    if (!shown) return deny_bad(admission, "That is no API key.");
    const core::Hash hash = shown->secret_hash();
    // A remembered key with another secret may have been replaced: the store knows.
    if (const KeyCache::Key known = cache_.remembered(shown->id);
        known && core::equal_in_constant_time(known->secret_hash, hash)) {
      return serve_key(admission, *known);
    }
    if (refused_for_failures(admission)) return;
    cache_.fetch(shown->id, [this, admission = std::move(admission), hash](ports::StoreResult<KeyCache::Key> found) {
      if (!found) return admission.respond(store_problem(found.error(), *admission.request));
      const KeyCache::Key& key = *found;
      if (!key || !core::equal_in_constant_time(key->secret_hash, hash)) {
        return deny_bad(admission, "There is no such API key.");
      }
      serve_key(admission, *key);
    });
  }

  void serve_key(const Admission& admission, const ports::ApiKey& key) {
    if (key.revoked_at) return deny_bad(admission, "The API key was revoked.");
    if (key.expires_at && *key.expires_at <= clock_.now()) return deny_bad(admission, "The API key has expired.");
    const Caller caller{"key:" + key.id, admission.request->remote_address};
    const std::string_view needed = scope_name(admission.access);
    if (std::find(key.scopes.begin(), key.scopes.end(), needed) == key.scopes.end()) {
      return deny_scope(admission, caller);
    }
    serve(admission, caller);
  }

  void serve(const Admission& admission, const Caller& caller) {
    if (!is_write(*admission.request) || !writes_.on()) {
      return admission.handler(caller, admission.request, admission.respond);
    }
    // A token without a subject says nothing of who it is: its address does.
    const bool named = !caller.anonymous() && caller.id != "jwt:";
    const std::string client = named ? caller.id : address_client(caller.address);
    writes_.admit(client, clock_.now(), [this, admission, caller, client](const RateLimiter::Verdict& verdict) {
      serve_counted(admission, caller, client, verdict);
    });
  }

  void serve_counted(const Admission& admission, const Caller& caller, const std::string& client,
                     const RateLimiter::Verdict& verdict) {
    if (!verdict.allowed) {
      ++limited_writes_;
      return admission.respond(too_many(*admission.request, writes_, writes_.refreshed(verdict, client, clock_.now()),
                                        "Too many writes. Try again later."));
    }
    admission.handler(caller, admission.request,
                      [this, verdict, client, respond = admission.respond](net::Response response) {
                        writes_.add_headers(response, writes_.refreshed(verdict, client, clock_.now()));
                        respond(std::move(response));
                      });
  }

  static net::Response too_many(const net::Request& request, const RateLimiter& limiter,
                                const RateLimiter::Verdict& verdict, std::string_view why) {
    net::Response response = problem(429, why, request);
    limiter.add_headers(response, verdict);
    return response;
  }

  /// Guessing costs us a signature or a query each time, so an address may be wrong as often as it may write.
  std::optional<net::Response> too_many_failures(const net::Request& request) {
    const RateLimiter::Verdict verdict = failures_.look(address_client(request.remote_address), clock_.now());
    if (verdict.allowed) return std::nullopt;
    ++limited_failures_;
    return too_many(request, failures_, verdict, "Too many bad credentials. Try again later.");
  }

  bool refused_for_failures(const Admission& admission) {
    auto refusal = too_many_failures(*admission.request);
    if (refusal) admission.respond(std::move(*refusal));
    return refusal.has_value();
  }

  net::Response denied(net::Response response) {
    ++denied_credentials_;
    return response;
  }
  net::Response denied_bad(const net::Request& request, std::string_view why) {
    failures_.take(address_client(request.remote_address), clock_.now());
    return denied(bad_credential(request, why));
  }

  void deny_bad(const Admission& admission, std::string_view why) {
    finish_denial(admission, denied_bad(*admission.request, why));
  }
  void deny(const Admission& admission, net::Response response) {
    finish_denial(admission, denied(std::move(response)));
  }
  void finish_denial(const Admission& admission, net::Response response) {
    audit_denial(admission, anonymous(*admission.request), response.status);
    admission.respond(std::move(response));
  }

  void deny_scope(const Admission& admission, const Caller& caller) {
    ++denied_scope_;
    audit_denial(admission, caller, 403);
    admission.respond(missing_scope(*admission.request, admission.access));
  }

  void audit_denial(const Admission& admission, const Caller& caller, unsigned status) {
    if (admission.access != Access::admin) return;
    const core::UnixMillis now = clock_.now();
    if (!denials_.take(address_client(caller.address), now).allowed || !all_denials_.take("", now).allowed) return;
    const net::Request& request = *admission.request;
    ports::AuditRecord record = audit_record(caller, request);
    record.action = "access.denied";
    record.target = request.method + " " + printable_path(request.path);
    record.detail = "{\"status\":" + std::to_string(status) + "}";
    audit_.append(std::move(record), [this](const ports::StoreResult<bool>& done) {
      if (!done) log_.warn("audit_lost", "A denied request could not be written to the audit log.");
    });
  }

  const bool auth_required_;
  const bool feed_auth_required_;
  ports::AuditLog& audit_;
  const ports::Clock& clock_;
  ports::Log& log_;
  std::optional<core::HmacSha256Key> jwt_key_;
  std::optional<core::Hash> worker_token_hash_;
  KeyCache cache_;
  RateLimiter writes_;
  RateLimiter failures_;
  RateLimiter denials_;
  RateLimiter all_denials_;
  std::atomic<std::uint64_t> denied_credentials_{0};
  std::atomic<std::uint64_t> denied_scope_{0};
  std::atomic<std::uint64_t> limited_writes_{0};
  std::atomic<std::uint64_t> limited_failures_{0};
};

AccessControl::AccessControl(AccessOptions options, ports::ApiKeys& keys, ports::AuditLog& audit,
                             const ports::Clock& clock, ports::Log& log, ports::RateCounts* fleet)
    : impl_(std::make_unique<Impl>(std::move(options), keys, audit, clock, log, fleet)) {}
AccessControl::~AccessControl() = default;

void AccessControl::admit(Access access, std::shared_ptr<const net::Request> request, net::Respond respond,
                          const GuardedHandler& handler) {
  impl_->admit({access, std::move(request), std::move(respond), handler});
}

FeedAdmission AccessControl::admit_feed(const net::Request& request) {
  return impl_->admit_feed(request);
}

AccessStatistics AccessControl::statistics() const noexcept {
  return impl_->statistics();
}

void AccessControl::forget_key(const std::string& id) {
  impl_->forget_key(id);
}

net::Handler guarded(const ApiContext& context, Access access, GuardedHandler handler) {
  return [&context, access, handler = std::move(handler)](std::shared_ptr<const net::Request> request,
                                                          net::Respond respond) {
    context.access.admit(access, std::move(request), std::move(respond), handler);
  };
}

ports::AuditRecord audit_record(const Caller& caller, const net::Request& request) {
  ports::AuditRecord record;
  record.actor = caller.id;
  record.address = caller.address;
  record.request_id = without_credentials(request.request_id);  // the client chooses it
  return record;
}

}  // namespace fluxora::api
