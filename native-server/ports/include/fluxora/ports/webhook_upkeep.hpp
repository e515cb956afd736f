#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// The endpoint that FLUXORA_WEBHOOK_URL defines.
struct ConfiguredEndpoint {
  std::string url;
};

/// What is known of all deliveries, for metrics and for bounds.
struct DeliveryBacklog {
  std::uint64_t waiting = 0;
  std::uint64_t dead = 0;  ///< most_dead_counted: so many or more
  std::uint64_t endpoints_enabled = 0;
  std::uint64_t endpoints_disabled = 0;
  std::uint64_t replays_running = 0;
  /// For an enabled endpoint: when it was made. Where much waits, about.
  std::optional<core::UnixMillis> oldest_waiting;
  std::vector<std::uint64_t> overfull;  ///< enabled endpoints for which more than the bound waits
};
inline constexpr std::uint64_t most_dead_counted = 1'000'000;

/// The slow work on webhooks, for one thread of each instance; whoever comes first does it. Blocking; every call throws
/// StoreUnavailable.
class WebhookUpkeep {
 public:
  virtual ~WebhookUpkeep() = default;

  /// Makes the row of the configured endpoint be this one, or disables it where there is none any more.
  virtual void configure(const std::optional<ConfiguredEndpoint>& endpoint) = 0;
  /// Brings one replay on by up to `entries` entries: their deliveries and its place in one transaction. None is
  /// brought on whose endpoint has `most_waiting` (at least 1) deliveries waiting already, or is disabled. False: none
  /// was brought on.
  virtual bool advance_replay(std::size_t entries, std::size_t most_waiting) = 0;
  /// Removes up to `limit` deliveries that were finished before `before`, dead ones too, with their attempts and the
  /// messages that nobody has any more; cancels up to `limit` that wait for endpoints that are gone; removes
  /// dispatchers that are. The number of deliveries that it removed or cancelled.
  virtual std::size_t prune(core::UnixMillis before, std::size_t limit) = 0;
  virtual DeliveryBacklog backlog(std::size_t most_waiting) = 0;
};

}  // namespace fluxora::ports
