#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "fluxora/core/dedup_cache.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/net/http_message.hpp"

/// What every receiver of webhooks does before it believes one: the part of this example to take along. SPEC section 8,
/// "Verifying".
namespace fluxora::webhook_receiver {

/// The deliveries that were handled, and those that are being handled. Deliveries come at least once, and copies of one
/// may come at the same time. This one forgets with the process and beyond its capacity; a receiver whose work must
/// not be done twice keeps the ids for 7 days in its database, in the transaction of that work.
class HandledDeliveries {
 public:
  explicit HandledDeliveries(std::size_t capacity) : handled_(capacity) {}

  enum class Begin { first, duplicate, being_handled };
  /// `first`: the caller handles it, and tells by end() how that went.
  Begin begin(const std::string& id);
  /// What wasn't handled may come again.
  void end(const std::string& id, bool handled);

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> running_;
  core::DedupCache handled_;
};

/// The secrets of one or more endpoints, each delivering to a path of its own. From any thread.
class Receiver {
 public:
  /// `path`: as in the endpoint's URL; empty: any path without secrets of its own. Several secrets of a path are all
  /// good: a rotated one stays until it is no longer used. Throws std::invalid_argument.
  void trust(std::string_view path, std::string_view secret);

  struct Verified {
    core::WebhookVerdict verdict = core::WebhookVerdict::missing_secret;
    std::string delivery_id;  ///< empty unless the verdict is ok
  };
  /// The raw body is verified, as it came; nothing of it is read before.
  [[nodiscard]] Verified verify(const net::Request& request, core::UnixSeconds now) const;

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, core::WebhookVerifier, std::less<>> verifiers_;
};

[[nodiscard]] net::Response json_answer(unsigned status, std::string body);

/// The answer to what isn't handled: {"error":"signature_mismatch"} with the verdict's status; of a duplicate 200 and
/// {"ok":true,"duplicate":true}.
[[nodiscard]] net::Response answer(core::WebhookVerdict verdict);

}  // namespace fluxora::webhook_receiver
