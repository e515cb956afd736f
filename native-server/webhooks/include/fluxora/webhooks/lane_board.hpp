#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fluxora/core/circuit_breaker.hpp"
#include "fluxora/core/retry_schedule.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/webhook_transport.hpp"
#include "fluxora/webhooks/delivery_request.hpp"
#include "fluxora/webhooks/dispatcher.hpp"

namespace fluxora::webhooks {

/// The lanes that are claimed: what is sent next, and what becomes of it. Decisions only, for one thread at a time:
/// time and chance are passed in, requests are made by others.
class LaneBoard {
 public:
  /// Lanes that are claimed at once, in all: so many times what may be in flight.
  static constexpr std::size_t claimed_for_each_request = 8;
  /// Of one endpoint: at least, and as long as it takes them quickly.
  static constexpr std::size_t claimed_for_each_endpoint_request = 2;
  static constexpr std::size_t claimed_of_a_quick_endpoint = 64;
  /// Requests at once to an endpoint of which nothing is known; each answer allows one more, silence leaves one. So
  /// many that hang at once don't take all that may be in flight.
  static constexpr std::size_t first_requests = 2;
  /// Failures in a row until an endpoint is left alone, then for 5 s to 5 min; an hour where it asks for it.
  static constexpr core::CircuitBreaker::Options breaker{{10, 300'000}, 10, 3'600'000};
  /// How long nothing is tried where a secret can't be opened, or a request can't be made.
  static constexpr core::UnixMillis unsendable_pause_ms = 60'000;
  /// How long it is remembered that an endpoint doesn't answer, or is left alone, once it may be tried again and
  /// nothing waits for it.
  static constexpr core::UnixMillis circuit_kept_ms = 600'000;

  explicit LaneBoard(const DispatcherOptions& options);
  ~LaneBoard();
  LaneBoard(const LaneBoard&) = delete;
  LaneBoard& operator=(const LaneBoard&) = delete;

  struct Lane;
  struct Receiver;

  /// A request that is to be made now. Good beyond the board's end.
  struct Job {
    std::shared_ptr<Lane> lane;
    std::shared_ptr<const Receiver> receiver;
    std::size_t place = 0;  ///< in the lane
    core::UnixMillis at = 0;
    bool is_trial = false;  ///< of an endpoint that is otherwise left alone

    [[nodiscard]] const ports::LaneKey& key() const noexcept;
    [[nodiscard]] const ports::ClaimedDelivery& delivery() const noexcept;
    [[nodiscard]] const std::string& url() const noexcept;
    [[nodiscard]] const EndpointSigner& signer() const noexcept;
  };

  /// How a job ended, as logs and metrics show it.
  struct Ended {
    AttemptOutcome outcome = AttemptOutcome::delivered;
    bool circuit_opened = false;
    bool circuit_closed = false;
    std::int64_t circuit_ms = 0;  ///< how long it is open
  };

  // Claiming, by the thread that asks the database.

  /// What there is room for.
  [[nodiscard]] ports::ClaimWish wish(core::UnixMillis now);
  /// The signer that is held for an endpoint; may be null.
  [[nodiscard]] std::shared_ptr<const EndpointSigner> signer(std::uint64_t endpoint) const;
  /// What was claimed, with a signer for each of its targets, null where there is none. Nothing is begun from
  /// `ours_until` on, until the next claim.
  void add(ports::Claim claim, const std::vector<std::shared_ptr<const EndpointSigner>>& signers, core::UnixMillis now,
           core::UnixMillis ours_until);
  /// A call of the queue failed: until the next claim nobody knows what is ours, so nothing is begun.
  void doubt_claims() noexcept { ours_until_ = 0; }
  /// What ended since the last time, to be recorded; recorded() says that it is.
  [[nodiscard]] ports::DispatchRecord take_record();
  void recorded() noexcept { being_recorded_ = 0; }
  [[nodiscard]] bool has_record() const noexcept { return !record_.empty() || !turns_.empty(); }

  /// An endpoint that is to be disabled. Nothing more is sent to it until disabled() says that the database knows.
  struct Disabling {
    std::uint64_t endpoint = 0;
    std::string url;
    ports::DisableReason reason = ports::DisableReason::gone;
  };
  /// The first that the database has to be told of; none: there is none.
  [[nodiscard]] std::optional<Disabling> next_disabling() const;
  /// That one is done; `was_enabled`: by us.
  void disabled(bool was_enabled);

  // Sending, by whoever has a request's end in hand.

  /// What is to be sent now: fairly over the endpoints. None: nothing, or nothing more may be in flight.
  [[nodiscard]] std::optional<Job> next(core::UnixMillis now);
  /// The end of a job. `chance`: any number, of a failure.
  Ended answered(const Job& job, const ports::WebhookAnswer& answer, core::UnixMillis now, std::uint32_t chance);
  /// The request couldn't be made: nothing was attempted.
  void unsendable(const Job& job);

  /// Nothing new is begun.
  void close() noexcept { closed_ = true; }
  /// Nothing that is claimed is ours any more: what is in flight ends for nobody.
  void disown();

  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  /// All but what only the queue's caller knows.
  [[nodiscard]] DispatcherStatistics statistics() const;

 private:
  struct Endpoint;

  [[nodiscard]] bool may_begin(core::UnixMillis now) const noexcept;
  [[nodiscard]] Endpoint* find(std::uint64_t id) const;
  [[nodiscard]] std::size_t wanted(Endpoint& endpoint, core::UnixMillis now) const;
  [[nodiscard]] bool is_forgettable(Endpoint& endpoint, core::UnixMillis now) const;
  [[nodiscard]] Endpoint& at(std::uint64_t id);
  void renew(const ports::EndpointTarget& target, std::shared_ptr<const EndpointSigner> signer, core::UnixMillis now);
  [[nodiscard]] static bool has_room(const Endpoint& endpoint) noexcept;
  [[nodiscard]] static bool has_not_moved(const Job& job) noexcept;
  void put(std::shared_ptr<Lane> lane);
  void drop_all();
  [[nodiscard]] std::optional<Job> begin(Endpoint& endpoint, core::UnixMillis now);
  void release(const Lane& lane, std::int64_t pause_ms = 0);
  void release_waiting(Endpoint& endpoint, std::int64_t pause_ms = 0);
  void release_stale(Endpoint& endpoint, core::UnixMillis now);
  /// Its turn to send comes, where it has something to.
  void queue(Endpoint& endpoint);
  void disable(Endpoint& endpoint, ports::DisableReason reason);
  void note_circuit(Endpoint& endpoint, const Job& job, const ports::WebhookAnswer& answer, core::UnixMillis now,
                    std::uint32_t chance, Ended& ended);
  AttemptOutcome succeeded(const Job& job, const ports::WebhookAnswer& answer);
  AttemptOutcome failed(const Job& job, const ports::WebhookAnswer& answer, core::UnixMillis now);
  void record_attempt(const Job& job, const ports::WebhookAnswer& answer, ports::AttemptEnd end);
  void turn(Endpoint& endpoint, std::optional<core::UnixMillis> failing_since);
  void count(const ports::WebhookAnswer& answer);

  const core::RetrySchedule schedule_;
  const std::size_t concurrency_;
  const std::size_t endpoint_concurrency_;
  const core::UnixMillis disable_after_ms_;

  std::unordered_map<std::uint64_t, std::unique_ptr<Endpoint>> endpoints_;
  std::deque<Endpoint*> sendable_;  // that may have a lane to send from and room for a request, in turn
  std::size_t claimed_ = 0;
  std::size_t in_flight_ = 0;
  std::uint64_t claims_ = 0;  // grows when what was claimed before is lost
  core::UnixMillis claimed_at_ = 0;
  core::UnixMillis ours_until_ = 0;
  bool closed_ = false;

  ports::DispatchRecord record_;                                    // without its turns
  std::map<std::uint64_t, std::optional<core::UnixMillis>> turns_;  // each endpoint's last
  std::size_t being_recorded_ = 0;
  std::deque<Disabling> disablings_;
  DispatcherStatistics counts_;
};

}  // namespace fluxora::webhooks
