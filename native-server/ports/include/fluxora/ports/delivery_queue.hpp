#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/delivery_id.hpp"

/// The dispatcher's side of the deliveries that wait. SPEC section 8, "Delivery".
namespace fluxora::ports {

/// What has to arrive one after another: an epoch's messages of one stream for one endpoint.
struct LaneKey {
  std::uint64_t endpoint = 0;
  std::string epoch;
  std::string lane;

  friend auto operator<=>(const LaneKey&, const LaneKey&) = default;
};

struct ClaimedDelivery {
  std::uint64_t seq = 0;  ///< within the lane's epoch
  std::string id;         ///< delivery_id(): what receivers see
  std::string event;
  std::shared_ptr<const std::string> body;
  unsigned attempts = 0;    ///< made so far
  unsigned tries = 0;       ///< of these since it was made or last redelivered
  std::string traceparent;  ///< of what made it; empty: nothing that was traced
};

struct ClaimedLane {
  LaneKey key;
  std::vector<ClaimedDelivery> deliveries;  ///< the next ones by seq; never empty
};

/// A secret that was replaced, and signs beside its successors until its own end.
struct FormerSecret {
  core::Bytes sealed;
  core::UnixMillis until = 0;

  friend bool operator==(const FormerSecret&, const FormerSecret&) = default;
};

/// Where to, and what signs it.
struct EndpointTarget {
  std::uint64_t id = 0;
  std::string url;
  std::optional<core::Bytes> secret;         ///< sealed; none: the configured one
  std::vector<FormerSecret> former_secrets;  ///< newest first; some may be over
  std::optional<core::UnixMillis> failing_since;
};

/// How many lanes of an endpoint are wanted, where it isn't lanes_an_endpoint.
struct EndpointRoom {
  std::uint64_t endpoint = 0;
  std::size_t lanes = 0;
};

struct ClaimWish {
  std::size_t lanes = 0;              ///< at most, in all
  std::size_t lanes_an_endpoint = 0;  ///< at most
  std::vector<EndpointRoom> rooms;    ///< of endpoints that have less, or more
};

struct Claim {
  std::vector<ClaimedLane> lanes;
  std::vector<EndpointTarget> targets;  ///< of these lanes' endpoints, each once
  /// Nothing that was claimed before is ours any more: our time was over, and others may have taken it.
  bool lost_former = false;
};

enum class AttemptEnd : std::uint8_t { delivered, retry, dead };

/// An attempt that was made.
struct AttemptRecord {
  LaneKey lane;
  std::uint64_t seq = 0;
  unsigned number = 0;  ///< from 1 on
  AttemptEnd end = AttemptEnd::delivered;
  core::UnixMillis at = 0;
  std::int64_t duration_ms = 0;
  std::optional<unsigned> status;  ///< none: there was no answer
  std::string error;
  std::string detail;
  std::string response;
};

/// A lane is given back. Where nothing waits in it any more it is gone.
struct LaneRelease {
  LaneKey lane;
  std::int64_t pause_ms = 0;  ///< how long it isn't due from now on, by the queue's clock
};

/// An endpoint's failures began with this turn, or are over.
struct EndpointTurn {
  std::uint64_t endpoint = 0;
  std::optional<core::UnixMillis> failing_since;
};

struct DispatchRecord {
  std::vector<AttemptRecord> attempts;
  std::vector<LaneRelease> releases;
  std::vector<EndpointTurn> turns;

  [[nodiscard]] bool empty() const noexcept { return attempts.empty() && releases.empty() && turns.empty(); }
};

/// Why an endpoint was disabled by the service.
enum class DisableReason : std::uint8_t {
  gone,     ///< it answered 410
  failing,  ///< for five days it has taken nothing
  backlog,  ///< more waits for it than may
};
/// As logs, metrics and webhook_endpoints.disabled_reason name it: "gone".
[[nodiscard]] constexpr std::string_view disable_reason_name(DisableReason reason) noexcept {
  switch (reason) {
    case DisableReason::gone: return "gone";
    case DisableReason::failing: return "failing";
    case DisableReason::backlog: return "backlog";
  }
  return "";
}

/// What became of disabling an endpoint.
enum class DisableEnd : std::uint8_t {
  done,
  not_enabled,  ///< it was disabled already, isn't there any more, or is at another address
  not_now,      ///< others keep us from it: to be tried again
};

/// How long what was claimed is ours without a word of us.
inline constexpr std::int64_t dispatcher_life_ms = 10'000;
/// Most deliveries of a lane that are claimed at once.
inline constexpr std::size_t deliveries_a_lane = 16;

/// Deliveries that wait, for any number of dispatchers: each lane is claimed by one at a time. For one thread;
/// blocking. Every call throws StoreUnavailable, and all but disable() say that we live.
class DeliveryQueue {
 public:
  virtual ~DeliveryQueue() = default;

  /// Lanes that are due and of enabled endpoints, fairly over the endpoints: those with much to deliver don't keep
  /// others from their turn. Also where nothing is wanted: that we live is all it does then.
  virtual Claim claim(const ClaimWish& wish) = 0;
  /// In one transaction; of each delivery one attempt at most. What is of lanes that aren't ours any more is left out:
  /// somebody else delivers it, again. After a failure the same may be given again, before anything else is claimed:
  /// what was recorded all the same isn't counted twice.
  virtual void record(const DispatchRecord& record) = 0;
  /// Nothing more is delivered to it until somebody enables it; what waits, waits. Only as long as `url` is where it
  /// is: what an address answered says nothing of another one. Waits for others for half a second at most.
  virtual DisableEnd disable(std::uint64_t endpoint, const std::string& url, DisableReason reason) = 0;
  /// All that is claimed is given back, and we are gone.
  virtual void leave() = 0;
};

}  // namespace fluxora::ports
