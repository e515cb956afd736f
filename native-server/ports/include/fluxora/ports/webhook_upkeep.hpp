#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// The endpoint that FLUXORA_WEBHOOK_URL defines.
struct ConfiguredEndpoint {
  std::string url;
};

/// What configure() has made of the configured endpoint.
enum class ConfiguredChange : std::uint8_t { none, made, moved, enabled, disabled };

/// How long the configured endpoint stays that no instance says to have: longer than any restart of them takes.
inline constexpr core::UnixMillis configured_life_ms = 600'000;

/// An enabled endpoint for which more than a bound waits.
struct OverfullEndpoint {
  std::uint64_t endpoint = 0;
  std::uint64_t waiting = 0;  ///< most_times_counted times the bound: so many or more

  bool operator==(const OverfullEndpoint& other) const noexcept {
    return endpoint == other.endpoint && waiting == other.waiting;
  }
};
inline constexpr std::uint64_t most_times_counted = 10;

/// What is known of all deliveries, for metrics and for bounds.
struct DeliveryBacklog {
  std::uint64_t waiting =
      0;                   ///< of a disabled endpoint most_of_disabled_counted, of an overfull one as it says, at most
  std::uint64_t dead = 0;  ///< most_dead_counted: so many or more
  std::uint64_t endpoints_enabled = 0;
  std::uint64_t endpoints_disabled = 0;
  std::uint64_t replays_running = 0;
  /// For an enabled endpoint: when it was made. Where much waits, about.
  std::optional<core::UnixMillis> oldest_waiting;
  std::vector<OverfullEndpoint> overfull;  ///< by endpoint
};
inline constexpr std::uint64_t most_of_disabled_counted = 1'000;
inline constexpr std::uint64_t most_dead_counted = 1'000'000;

/// An endpoint's secret as it is kept. Ordered by endpoint and number.
struct SealedSecret {
  std::uint64_t endpoint = 0;
  std::uint64_t number = 0;  ///< 0: the present one; else a former one
  core::Bytes sealed;
};

/// The slow work on webhooks, for one thread of each instance; whoever comes first does it. Blocking; every call throws
/// StoreUnavailable.
class WebhookUpkeep {
 public:
  virtual ~WebhookUpkeep() = default;

  /// Says that this instance has the endpoint: it is made where it isn't there, and enabled where it was disabled for
  /// want of an instance that has it. `starts`: its URL counts from now on, and what is at a new one is enabled.
  /// None: this instance has none. Then it is disabled where none has said so for configured_life_ms.
  virtual ConfiguredChange configure(const std::optional<ConfiguredEndpoint>& endpoint, bool starts) = 0;
  /// As DeliveryQueue::disable().
  virtual bool disable(std::uint64_t endpoint, DisableReason reason) = 0;
  /// Brings one replay on by up to `entries` entries: their deliveries and its place in one transaction. None is
  /// brought on whose endpoint has `most_waiting` (at least 1) deliveries waiting already, or is disabled. False: none
  /// was brought on.
  virtual bool advance_replay(std::size_t entries, std::size_t most_waiting) = 0;
  /// Removes up to `limit` deliveries that were finished before `before`, dead ones too, with their attempts and the
  /// messages that nobody has any more; cancels up to `limit` that wait for endpoints that are gone; removes
  /// dispatchers that are, and up to `limit` former secrets that are over. The number of deliveries that it removed or
  /// cancelled.
  virtual std::size_t prune(core::UnixMillis before, std::size_t limit) = 0;
  /// `most_waiting`: the bound beyond which an endpoint is overfull.
  virtual DeliveryBacklog backlog(std::size_t most_waiting) = 0;
  /// The next `limit` secrets behind this one's place; none: the first.
  virtual std::vector<SealedSecret> sealed_secrets(const std::optional<SealedSecret>& after, std::size_t limit) = 0;
  /// The same secret, sealed anew. False: it isn't that one any more, and stays as it is.
  virtual bool reseal(const SealedSecret& secret, const core::Bytes& sealed) = 0;
};

}  // namespace fluxora::ports
