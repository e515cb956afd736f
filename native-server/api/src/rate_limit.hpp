#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/net/http_message.hpp"
#include "fluxora/ports/rate_counts.hpp"

namespace fluxora::api {

/// Counts what each client does in windows of time that its own first request opens, so that what RateLimit-Remaining
/// and RateLimit-Reset say holds exactly. Remembers so many clients; beyond, the one not seen for longest is forgotten
/// and starts anew. From any thread.
///
/// With a fleet each request that is let through is counted there too, and what comes back takes the place of what was
/// counted here. So an instance that hasn't heard yet of what others let through lets a client have one request more,
/// and with take() as many as are on their way to the fleet at once, up to its limit. While nothing is shared, each
/// instance goes on counting by itself.
class RateLimiter {
 public:
  /// Where the same is counted over all instances; `counts` outlives the limiter, or has ended before.
  struct Fleet {
    ports::RateCounts* counts = nullptr;  ///< none: this instance counts alone
    std::string_view limit{};             ///< its name there
  };

  /// `limit` 0: nothing is refused.
  RateLimiter(std::uint32_t limit, core::UnixMillis window_ms, std::size_t max_clients, Fleet fleet)
      : limit_(limit), window_ms_(window_ms), max_clients_(max_clients), fleet_(fleet) {}
  RateLimiter(std::uint32_t limit, core::UnixMillis window_ms, std::size_t max_clients)
      : RateLimiter(limit, window_ms, max_clients, Fleet()) {}

  struct Verdict {
    bool allowed = true;
    std::uint32_t remaining = 0;
    std::uint32_t reset_s = 0;  ///< until a new window can begin, rounded up
  };
  /// Counts one; refused ones don't count. Waits for nobody.
  Verdict take(std::string_view client, core::UnixMillis now);
  using Decided = std::function<void(const Verdict& verdict)>;
  /// The same for one that can wait: where others of its client are on their way to the fleet, the fleet's count
  /// decides, or this instance's if none comes. `decided` is called once: before it returns, or later on the thread
  /// that the fleet's counts come on.
  void admit(std::string_view client, core::UnixMillis now, const Decided& decided);
  /// What take() would say.
  [[nodiscard]] Verdict look(std::string_view client, core::UnixMillis now) const;
  /// The same verdict with the numbers of now, which may have come from the fleet since.
  [[nodiscard]] Verdict refreshed(const Verdict& taken, std::string_view client, core::UnixMillis now) const;

  [[nodiscard]] bool on() const noexcept { return limit_ > 0; }
  /// RateLimit-Limit, -Remaining, -Reset and -Policy, as draft-ietf-httpapi-ratelimit-headers-06 has them: later drafts
  /// put the same into one field that few clients read yet. Retry-After where it was refused. Nothing where it is off.
  void add_headers(net::Response& response, const Verdict& verdict) const;

 private:
  struct Client {
    std::string name;
    core::UnixMillis window_begin = 0;
    std::uint64_t count = 0;       // the fleet's, where it is known
    std::uint32_t unanswered = 0;  // of it, on their way to the fleet
  };
  struct Taken {
    Verdict verdict;
    bool tell = false;  // the fleet
    bool alone = true;  // nothing else of the client is on its way there
  };
  Taken count(std::string_view client, core::UnixMillis now);
  void tell_fleet(std::string_view client, const ports::RateCounts::Counted& counted);
  void learn(const std::string& client, const std::optional<ports::RateCounts::Count>& fleet);
  [[nodiscard]] bool over(const Client& client, core::UnixMillis now) const noexcept;
  [[nodiscard]] Verdict verdict(const Client& client, bool allowed, core::UnixMillis now) const noexcept;

  const std::uint32_t limit_;
  const core::UnixMillis window_ms_;
  const std::size_t max_clients_;
  const Fleet fleet_;
  mutable std::mutex mutex_;
  std::list<Client> clients_;  // the one seen last is first
  std::unordered_map<std::string_view, std::list<Client>::iterator> places_;
};

/// An address as a client to count: of IPv6 the /64, because a host has all of it.
[[nodiscard]] std::string address_client(std::string_view address);

}  // namespace fluxora::api
