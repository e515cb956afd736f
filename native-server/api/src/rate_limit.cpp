#include "rate_limit.hpp"

#include <algorithm>

#include <arpa/inet.h>

#include "fluxora/core/bytes.hpp"

namespace fluxora::api {

bool RateLimiter::over(const Client& client, core::UnixMillis now) const noexcept {
  // A clock that was set back must not lengthen a window.
  return now < client.window_begin || now - client.window_begin >= window_ms_;
}

RateLimiter::Verdict RateLimiter::verdict(const Client& client, bool allowed, core::UnixMillis now) const noexcept {
  const core::UnixMillis left = client.window_begin + window_ms_ - now;
  const auto remaining = static_cast<std::uint32_t>(limit_ - std::min<std::uint64_t>(client.count, limit_));
  return {allowed, remaining, static_cast<std::uint32_t>((left + 999) / 1000)};
}

RateLimiter::Verdict RateLimiter::take(std::string_view client, core::UnixMillis now) {
  if (!on()) return {};
  const Taken taken = count(client, now);
  if (taken.tell) tell_fleet(client, nullptr);
  return taken.verdict;
}

void RateLimiter::admit(std::string_view client, core::UnixMillis now, const Decided& decided) {
  if (!on()) return decided({});
  const Taken taken = count(client, now);
  if (!taken.tell || taken.alone) {
    if (taken.tell) tell_fleet(client, nullptr);
    return decided(taken.verdict);
  }
  tell_fleet(client, [this, taken, decided](const std::optional<ports::RateCounts::Count>& fleet) {
    Verdict verdict = taken.verdict;
    verdict.allowed = !fleet || fleet->total <= limit_;
    if (!verdict.allowed) verdict.remaining = 0;
    decided(verdict);
  });
}

/// Not under the lock: the answer may come at once. `counted` may be empty.
void RateLimiter::tell_fleet(std::string_view client, const ports::RateCounts::Counted& counted) {
  const ports::RateCounts::Counted learned = [this, name = std::string(client),
                                              counted](const std::optional<ports::RateCounts::Count>& fleet) {
    learn(name, fleet);
    if (counted) counted(fleet);
  };
  if (!fleet_.counts->add(fleet_.limit, client, window_ms_, learned)) learned(std::nullopt);
}

RateLimiter::Taken RateLimiter::count(std::string_view client, core::UnixMillis now) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(client);
  if (found != places_.end()) {
    clients_.splice(clients_.begin(), clients_, found->second);
  } else {
    clients_.push_front({std::string(client), now});
    places_.emplace(clients_.front().name, clients_.begin());
    if (clients_.size() > max_clients_) {
      places_.erase(clients_.back().name);
      clients_.pop_back();
    }
  }
  Client& counted = clients_.front();
  if (over(counted, now)) {
    counted.window_begin = now;
    counted.count = 0;
  }
  Taken taken;
  const bool allowed = counted.count < limit_;
  taken.tell = allowed && fleet_.counts != nullptr;
  taken.alone = counted.unanswered == 0;
  if (allowed) ++counted.count;
  if (taken.tell) ++counted.unanswered;
  taken.verdict = verdict(counted, allowed, now);
  return taken;
}

void RateLimiter::learn(const std::string& client, const std::optional<ports::RateCounts::Count>& fleet) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(client);
  if (found == places_.end()) return;
  Client& counted = *found->second;
  if (counted.unanswered > 0) --counted.unanswered;  // none are known of a client that was forgotten meanwhile
  if (!fleet) return;
  counted.window_begin = fleet->ends_at - window_ms_;
  counted.count = fleet->total + counted.unanswered;
}

RateLimiter::Verdict RateLimiter::look(std::string_view client, core::UnixMillis now) const {
  if (!on()) return {};
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(client);
  if (found == places_.end() || over(*found->second, now)) return {};
  return verdict(*found->second, found->second->count < limit_, now);
}

RateLimiter::Verdict RateLimiter::refreshed(const Verdict& taken, std::string_view client, core::UnixMillis now) const {
  if (fleet_.counts == nullptr) return taken;
  Verdict latest = look(client, now);
  if (latest.reset_s == 0) return taken;  // its window is over
  latest.allowed = taken.allowed;
  return latest;
}

void RateLimiter::add_headers(net::Response& response, const Verdict& verdict) const {
  if (!on()) return;
  response.headers.emplace_back("RateLimit-Limit", std::to_string(limit_));
  response.headers.emplace_back("RateLimit-Remaining", std::to_string(verdict.remaining));
  response.headers.emplace_back("RateLimit-Reset", std::to_string(verdict.reset_s));
  response.headers.emplace_back("RateLimit-Policy", std::to_string(limit_) + ";w=" + std::to_string(window_ms_ / 1000));
  if (!verdict.allowed) response.headers.emplace_back("Retry-After", std::to_string(verdict.reset_s));
}

std::string address_client(std::string_view address) {
  in6_addr v6{};
  if (inet_pton(AF_INET6, std::string(address).c_str(), &v6) != 1) return std::string(address);
  constexpr std::size_t network_bytes = 8;
  return core::hex_encode(core::ByteView(v6.s6_addr, network_bytes)) + "/64";
}

}  // namespace fluxora::api
