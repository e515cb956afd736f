#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// Counts what each client does in windows of time that its own first request opens, so that what RateLimit-Remaining
/// and RateLimit-Reset say holds exactly. Remembers so many clients; beyond, the one not seen for longest is forgotten
/// and starts anew. From any thread.
class RateLimiter {
 public:
  /// `limit` 0: nothing is refused.
  RateLimiter(std::uint32_t limit, core::UnixMillis window_ms, std::size_t max_clients)
      : limit_(limit), window_ms_(window_ms), max_clients_(max_clients) {}

  struct Verdict {
    bool allowed = true;
    std::uint32_t remaining = 0;
    std::uint32_t reset_s = 0;  ///< until a new window can begin, rounded up
  };
  /// Counts one; refused ones don't count.
  Verdict take(std::string_view client, core::UnixMillis now);
  /// What take() would say.
  [[nodiscard]] Verdict look(std::string_view client, core::UnixMillis now) const;

  [[nodiscard]] bool on() const noexcept { return limit_ > 0; }
  /// RateLimit-Limit, -Remaining, -Reset and -Policy, as draft-ietf-httpapi-ratelimit-headers-06 has them: later drafts
  /// put the same into one field that few clients read yet. Retry-After where it was refused. Nothing where it is off.
  void add_headers(net::Response& response, const Verdict& verdict) const;

 private:
  struct Client {
    std::string name;
    core::UnixMillis window_begin = 0;
    std::uint32_t count = 0;
  };
  [[nodiscard]] bool over(const Client& client, core::UnixMillis now) const noexcept;
  [[nodiscard]] Verdict verdict(const Client& client, bool allowed, core::UnixMillis now) const noexcept;

  const std::uint32_t limit_;
  const core::UnixMillis window_ms_;
  const std::size_t max_clients_;
  mutable std::mutex mutex_;
  std::list<Client> clients_;  // the one seen last is first
  std::unordered_map<std::string_view, std::list<Client>::iterator> places_;
};

/// An address as a client to count: of IPv6 the /64, because a host has all of it.
[[nodiscard]] std::string address_client(std::string_view address);

}  // namespace fluxora::api
