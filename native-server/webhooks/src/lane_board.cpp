#include "fluxora/webhooks/lane_board.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::webhooks {
namespace {

constexpr unsigned status_gone = 410;
constexpr unsigned status_too_many = 429;
constexpr unsigned status_unavailable = 503;
// The least that lanes wait which aren't tried because their endpoint is left alone.
constexpr core::UnixMillis shortest_circuit_ms = 1'000;

/// FNV-1a: the same on every machine and after every restart, so that a delivery's retries don't move.
std::uint64_t seed_of(std::string_view id) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01b3;
  return hash;
}

bool is_success(const ports::WebhookAnswer& answer) {
  return answer.failure == ports::TransportFailure::none && answer.status / 100 == 2;
}

/// What the receiver asked for, where SPEC section 8 lets it ask.
std::optional<core::UnixMillis> retry_after(const ports::WebhookAnswer& answer) {
  const bool may_ask = answer.status == status_too_many || answer.status == status_unavailable;
  return may_ask ? answer.retry_after_ms : std::nullopt;
}

/// It doesn't answer, or wants to be left alone. Other refusals come from somebody who is there.
bool speaks_for_a_pause(const ports::WebhookAnswer& answer) {
  return answer.failure != ports::TransportFailure::none || answer.status / 100 == 5 || retry_after(answer);
}

/// Its place in answer_kinds.
std::size_t answer_kind(const ports::WebhookAnswer& answer) {
  constexpr std::size_t other = 4;
  if (answer.failure != ports::TransportFailure::none) return other + static_cast<std::size_t>(answer.failure);
  const std::size_t hundreds = answer.status / 100;
  return hundreds >= 2 && hundreds <= 5 ? hundreds - 2 : other;
}
static_assert(answer_kinds[4 + static_cast<std::size_t>(ports::TransportFailure::target_refused)] == "target_refused");
static_assert(answer_kinds[4 + static_cast<std::size_t>(ports::TransportFailure::protocol_failed)] ==
              "protocol_failed");

}  // namespace

/// Where an endpoint's requests go, and what signs them, as of its last claim.
struct LaneBoard::Receiver {
  std::string url;
  std::shared_ptr<const EndpointSigner> signer;
  std::uint64_t moves;  // as the endpoint's then
};

struct LaneBoard::Endpoint {
  explicit Endpoint(std::uint64_t its_id) : id(its_id) {}

  const std::uint64_t id;
  std::string url;
  std::uint64_t moves = 0;                   // to other URLs: what the one before answered says nothing of it
  std::shared_ptr<const Receiver> receiver;  // null: nothing can be sent to it
  std::optional<core::UnixMillis> failing_since;
  core::CircuitBreaker circuit{breaker};
  std::deque<std::shared_ptr<Lane>> waiting;
  std::size_t claimed = 0;    // lanes, those in flight among them
  std::size_t in_flight = 0;  // requests, those of lost lanes among them
  std::size_t allowed = 1;    // of them at once
  std::size_t finished = 0;   // lanes since the last wish
  bool is_queued = false;     // in sendable_
  bool disabling = false;     // until the database knows
  std::uint64_t disables = 0;
  core::UnixMillis held_until = 0;                  // nothing is claimed for it
  std::optional<core::UnixMillis> failed_at;        // the last of its circuit's failures in a row
  std::optional<core::UnixMillis> retriable_since;  // its circuit is open, and it could be tried
};

struct LaneBoard::Lane {
  Endpoint* endpoint;
  ports::LaneKey key;
  std::vector<ports::ClaimedDelivery> deliveries;
  std::size_t place = 0;        // of the next delivery
  core::UnixMillis claimed_at;  // nothing is begun once that is too long ago
  std::uint64_t claims;         // as the board's then
  std::uint64_t disables;       // as the endpoint's then
};

const ports::LaneKey& LaneBoard::Job::key() const noexcept {
  return lane->key;
}
const ports::ClaimedDelivery& LaneBoard::Job::delivery() const noexcept {
  return lane->deliveries[place];
}
const std::string& LaneBoard::Job::url() const noexcept {
  return receiver->url;
}
const EndpointSigner& LaneBoard::Job::signer() const noexcept {
  return *receiver->signer;
}

LaneBoard::LaneBoard(const DispatcherOptions& options)
    : schedule_(options.schedule),
      concurrency_(options.concurrency),
      endpoint_concurrency_(options.endpoint_concurrency),
      disable_after_ms_(options.disable_after_ms) {}

LaneBoard::~LaneBoard() = default;

LaneBoard::Endpoint& LaneBoard::at(std::uint64_t id) {
  auto& endpoint = endpoints_[id];
  if (!endpoint) {
    endpoint = std::make_unique<Endpoint>(id);
    endpoint->allowed = std::min(first_requests, endpoint_concurrency_);
  }
  return *endpoint;
}

LaneBoard::Endpoint* LaneBoard::find(std::uint64_t id) const {
  const auto found = endpoints_.find(id);
  return found == endpoints_.end() ? nullptr : found->second.get();
}

ports::ClaimWish LaneBoard::wish(core::UnixMillis now) {
  ports::ClaimWish wish;
  wish.lanes_an_endpoint = claimed_for_each_endpoint_request * std::min(first_requests, endpoint_concurrency_);
  const std::size_t most = claimed_for_each_request * concurrency_;
  if (!closed_ && claimed_ < most) wish.lanes = most - claimed_;
  for (auto place = endpoints_.begin(); place != endpoints_.end();) {
    Endpoint& endpoint = *place->second;
    if (is_forgettable(endpoint, now)) {
      place = endpoints_.erase(place);
      continue;
    }
    release_stale(endpoint, now);
    const std::size_t lanes = wanted(endpoint, now);
    if (lanes != wish.lanes_an_endpoint) wish.rooms.push_back({endpoint.id, lanes});
    endpoint.finished = 0;
    ++place;
  }
  return wish;
}

std::size_t LaneBoard::wanted(Endpoint& endpoint, core::UnixMillis now) const {
  if (endpoint.disabling || now < endpoint.held_until) return 0;
  if (endpoint.circuit.state() != core::CircuitBreaker::State::closed) {
    const bool may_try =
        endpoint.circuit.state() == core::CircuitBreaker::State::open && endpoint.circuit.retry_in_ms(now) == 0;
    return may_try && endpoint.claimed == 0 ? 1 : 0;
  }
  // Twice what it took since the last time: so it doesn't run dry until the next. Of one that says nothing no more than
  // it may be asked at once: others would have it sooner.
  const std::size_t target = std::clamp(2 * endpoint.finished, claimed_for_each_endpoint_request * endpoint.allowed,
                                        claimed_of_a_quick_endpoint * endpoint_concurrency_);
  return target - std::min(target, endpoint.claimed);
}

bool LaneBoard::is_forgettable(Endpoint& endpoint, core::UnixMillis now) const {
  if (endpoint.claimed > 0 || endpoint.in_flight > 0 || endpoint.finished > 0) return false;
  if (endpoint.is_queued || endpoint.disabling || now < endpoint.held_until || turns_.contains(endpoint.id))
    return false;
  if (endpoint.circuit.state() == core::CircuitBreaker::State::closed) {
    return !endpoint.failed_at || now - *endpoint.failed_at > circuit_kept_ms;
  }
  if (endpoint.circuit.retry_in_ms(now) > 0) return false;
  if (!endpoint.retriable_since) endpoint.retriable_since = now;
  return now - *endpoint.retriable_since > circuit_kept_ms;
}

std::shared_ptr<const EndpointSigner> LaneBoard::signer(std::uint64_t id) const {
  const Endpoint* endpoint = find(id);
  return endpoint != nullptr && endpoint->receiver ? endpoint->receiver->signer : nullptr;
}

void LaneBoard::add(ports::Claim claim, const std::vector<std::shared_ptr<const EndpointSigner>>& signers,
                    core::UnixMillis now, core::UnixMillis ours_until) {
  if (claim.lost_former) {
    drop_all();
    ++counts_.claims_lost;
  }
  claimed_at_ = now;
  ours_until_ = ours_until;
  for (std::size_t i = 0; i < claim.targets.size(); ++i) renew(claim.targets[i], signers[i], now);
  for (ports::ClaimedLane& claimed : claim.lanes) {
    Endpoint& endpoint = at(claimed.key.endpoint);
    ++claimed_;
    ++endpoint.claimed;
    auto lane = std::make_shared<Lane>(
        Lane{&endpoint, std::move(claimed.key), std::move(claimed.deliveries), 0, now, claims_, endpoint.disables});
    if (endpoint.disabling) {
      release(*lane);
    } else if (!endpoint.receiver) {
      release(*lane, unsendable_pause_ms);
    } else {
      put(std::move(lane));
    }
  }
}

void LaneBoard::renew(const ports::EndpointTarget& target, std::shared_ptr<const EndpointSigner> signer,
                      core::UnixMillis now) {
  Endpoint& endpoint = at(target.id);
  if (endpoint.url != target.url) {
    endpoint.url = target.url;
    ++endpoint.moves;
    endpoint.circuit = core::CircuitBreaker(breaker);
    endpoint.failed_at = std::nullopt;
    endpoint.retriable_since = std::nullopt;
    endpoint.allowed = std::min(first_requests, endpoint_concurrency_);
    turns_.erase(target.id);
  }
  // A turn that isn't recorded yet is newer than what the database says.
  if (!turns_.contains(target.id)) endpoint.failing_since = target.failing_since;
  if (signer) {
    endpoint.receiver = std::make_shared<const Receiver>(Receiver{target.url, std::move(signer), endpoint.moves});
    return;
  }
  endpoint.receiver = nullptr;
  endpoint.held_until = now + unsendable_pause_ms;
  release_waiting(endpoint, unsendable_pause_ms);
  ++counts_.secrets_unreadable;
}

bool LaneBoard::has_room(const Endpoint& endpoint) noexcept {
  return endpoint.in_flight < endpoint.allowed;
}

void LaneBoard::put(std::shared_ptr<Lane> lane) {
  Endpoint& endpoint = *lane->endpoint;
  endpoint.waiting.push_back(std::move(lane));
  queue(endpoint);
}

void LaneBoard::queue(Endpoint& endpoint) {
  if (endpoint.is_queued || endpoint.waiting.empty()) return;
  endpoint.is_queued = true;
  sendable_.push_back(&endpoint);
}

void LaneBoard::drop_all() {
  ++claims_;
  claimed_ = 0;
  record_ = {};
  for (const auto& [id, endpoint] : endpoints_) {
    endpoint->waiting.clear();
    endpoint->claimed = 0;
  }
}

void LaneBoard::disown() {
  close();
  drop_all();
}

bool LaneBoard::may_begin(core::UnixMillis now) const noexcept {
  // Before claimed_at_ the clock went back: how long the claims are ours can't be told.
  return !closed_ && now >= claimed_at_ && now < ours_until_ && in_flight_ < concurrency_;
}

std::optional<LaneBoard::Job> LaneBoard::next(core::UnixMillis now) {
  while (may_begin(now) && !sendable_.empty()) {
    Endpoint& endpoint = *sendable_.front();
    sendable_.pop_front();
    std::optional<Job> job = begin(endpoint, now);
    // Where it has no room, the end of one of its requests brings it back.
    endpoint.is_queued = !endpoint.waiting.empty() && has_room(endpoint);
    if (endpoint.is_queued) sendable_.push_back(&endpoint);
    if (job) return job;
  }
  return std::nullopt;
}

/// From the endpoint's next lane, where one may be sent from.
std::optional<LaneBoard::Job> LaneBoard::begin(Endpoint& endpoint, core::UnixMillis now) {
  if (endpoint.waiting.empty() || !has_room(endpoint)) return std::nullopt;
  const std::shared_ptr<Lane> lane = endpoint.waiting.front();
  if (now - lane->claimed_at >= Dispatcher::claim_fresh_ms) {
    endpoint.waiting.pop_front();
    release(*lane);
    return std::nullopt;
  }
  if (!endpoint.circuit.admit(now)) {
    release_waiting(endpoint, std::max(shortest_circuit_ms, endpoint.circuit.retry_in_ms(now)));
    return std::nullopt;
  }
  endpoint.waiting.pop_front();
  ++endpoint.in_flight;
  ++in_flight_;
  endpoint.retriable_since = std::nullopt;
  const bool is_trial = endpoint.circuit.state() == core::CircuitBreaker::State::half_open;
  return Job{lane, endpoint.receiver, lane->place, now, is_trial};
}

LaneBoard::Ended LaneBoard::answered(const Job& job, const ports::WebhookAnswer& answer, core::UnixMillis now,
                                     std::uint32_t chance) {
  Endpoint& endpoint = *job.lane->endpoint;
  --in_flight_;
  --endpoint.in_flight;
  Ended ended;
  const bool is_there = has_not_moved(job);
  if (is_there) note_circuit(endpoint, job, answer, now, chance, ended);
  if (answer.failure == ports::TransportFailure::cancelled) {
    ended.outcome = AttemptOutcome::cancelled;
    if (job.lane->claims == claims_) release(*job.lane);
  } else {
    count(answer);
    // Before all others, and whosever the lane is by now.
    if (answer.status == status_gone && is_there) disable(endpoint, ports::DisableReason::gone);
    if (job.lane->claims != claims_) {
      ended.outcome = AttemptOutcome::disowned;
    } else {
      ended.outcome = is_success(answer) ? succeeded(job, answer) : failed(job, answer, now);
    }
  }
  ++counts_.attempts[static_cast<std::size_t>(ended.outcome)];
  queue(endpoint);
  return ended;
}

/// Whether the job went where the endpoint is.
bool LaneBoard::has_not_moved(const Job& job) noexcept {
  return job.receiver->moves == job.lane->endpoint->moves;
}

void LaneBoard::unsendable(const Job& job) {
  Endpoint& endpoint = *job.lane->endpoint;
  --in_flight_;
  --endpoint.in_flight;
  if (job.is_trial && has_not_moved(job)) endpoint.circuit.abandoned();
  if (job.lane->claims == claims_) release(*job.lane, unsendable_pause_ms);
  queue(endpoint);
}

void LaneBoard::note_circuit(Endpoint& endpoint, const Job& job, const ports::WebhookAnswer& answer,
                             core::UnixMillis now, std::uint32_t chance, Ended& ended) {
  using State = core::CircuitBreaker::State;
  if (answer.failure == ports::TransportFailure::cancelled) {
    if (job.is_trial) endpoint.circuit.abandoned();
    return;
  }
  const bool was_open = endpoint.circuit.state() != State::closed;
  const bool is_there = !speaks_for_a_pause(answer);
  endpoint.allowed = is_there ? std::min(endpoint.allowed + 1, endpoint_concurrency_) : 1;
  endpoint.failed_at = is_there ? std::nullopt : std::optional(now);
  if (is_there) {
    endpoint.circuit.succeeded();
  } else if (!was_open || job.is_trial) {
    // Others that were on their way when it opened say nothing new.
    endpoint.circuit.failed(now, chance, retry_after(answer));
  }
  const bool is_open = endpoint.circuit.state() == State::open;
  ended.circuit_opened = !was_open && is_open;
  ended.circuit_closed = was_open && !is_open && endpoint.circuit.state() == State::closed;
  if (!is_open) return;
  ended.circuit_ms = std::max(shortest_circuit_ms, endpoint.circuit.retry_in_ms(now));
  release_waiting(endpoint, ended.circuit_ms);
}

AttemptOutcome LaneBoard::succeeded(const Job& job, const ports::WebhookAnswer& answer) {
  const std::shared_ptr<Lane>& lane = job.lane;
  Endpoint& endpoint = *lane->endpoint;
  record_attempt(job, answer, ports::AttemptEnd::delivered);
  if (endpoint.failing_since && has_not_moved(job)) turn(endpoint, std::nullopt);
  lane->deliveries[lane->place].body = nullptr;
  ++lane->place;
  if (lane->place < lane->deliveries.size() && lane->disables == endpoint.disables && endpoint.receiver) {
    put(lane);
  } else {
    ++endpoint.finished;
    release(*lane);
  }
  return AttemptOutcome::delivered;
}

/// The lane's turn ends with it, also where it was the last try: what follows is only sent when it is recorded that
/// this one is dead, so that nobody tries it after those behind it.
AttemptOutcome LaneBoard::failed(const Job& job, const ports::WebhookAnswer& answer, core::UnixMillis now) {
  Endpoint& endpoint = *job.lane->endpoint;
  const ports::ClaimedDelivery& delivery = job.delivery();
  const auto pause = schedule_.pause_ms(delivery.tries + 1, seed_of(delivery.id), retry_after(answer));
  record_attempt(job, answer, pause ? ports::AttemptEnd::retry : ports::AttemptEnd::dead);
  release(*job.lane, pause.value_or(0));
  if (has_not_moved(job)) {
    if (!endpoint.failing_since) turn(endpoint, job.at);
    if (now - *endpoint.failing_since >= disable_after_ms_) disable(endpoint, ports::DisableReason::failing);
  }
  return pause ? AttemptOutcome::retry : AttemptOutcome::dead;
}

void LaneBoard::record_attempt(const Job& job, const ports::WebhookAnswer& answer, ports::AttemptEnd end) {
  ports::AttemptRecord attempt;
  attempt.lane = job.lane->key;
  attempt.seq = job.delivery().seq;
  attempt.number = job.delivery().attempts + 1;
  attempt.end = end;
  attempt.at = job.at;
  attempt.duration_ms = answer.duration_ms;
  if (answer.failure == ports::TransportFailure::none) attempt.status = answer.status;
  attempt.error = ports::transport_failure_name(answer.failure);
  attempt.detail = answer.detail;
  attempt.response = answer.response;
  record_.attempts.push_back(std::move(attempt));
}

void LaneBoard::turn(Endpoint& endpoint, std::optional<core::UnixMillis> failing_since) {
  endpoint.failing_since = failing_since;
  turns_[endpoint.id] = failing_since;
}

void LaneBoard::count(const ports::WebhookAnswer& answer) {
  ++counts_.answers[answer_kind(answer)];
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, answer.duration_ms));
  const auto& bounds = AttemptDurations::bounds_ms;
  const auto* bucket = std::find_if(bounds.begin(), bounds.end(), [ms](std::uint32_t bound) { return ms <= bound; });
  ++counts_.durations.counts[static_cast<std::size_t>(bucket - bounds.begin())];
  counts_.durations.sum_ms += ms;
}

void LaneBoard::release(const Lane& lane, std::int64_t pause_ms) {
  --claimed_;
  --lane.endpoint->claimed;
  record_.releases.push_back({lane.key, pause_ms});
}

void LaneBoard::release_waiting(Endpoint& endpoint, std::int64_t pause_ms) {
  for (const auto& lane : endpoint.waiting) release(*lane, pause_ms);
  endpoint.waiting.clear();
}

/// The endpoint may be another one by now, or none: what waits for so long is asked for again, by whoever has room.
void LaneBoard::release_stale(Endpoint& endpoint, core::UnixMillis now) {
  std::erase_if(endpoint.waiting, [&](const std::shared_ptr<Lane>& lane) {
    const bool is_stale = now - lane->claimed_at >= Dispatcher::claim_fresh_ms;
    if (is_stale) release(*lane);
    return is_stale;
  });
}

ports::DispatchRecord LaneBoard::take_record() {
  ports::DispatchRecord record = std::exchange(record_, {});
  for (const auto& [endpoint, failing_since] : turns_) record.turns.push_back({endpoint, failing_since});
  turns_.clear();
  being_recorded_ = record.attempts.size();
  return record;
}

void LaneBoard::disable(Endpoint& endpoint, ports::DisableReason reason) {
  if (endpoint.disabling) return;
  disablings_.push_back({endpoint.id, endpoint.url, reason});
  endpoint.disabling = true;
  ++endpoint.disables;
  release_waiting(endpoint);
}

std::optional<LaneBoard::Disabling> LaneBoard::next_disabling() const {
  if (disablings_.empty()) return std::nullopt;
  return disablings_.front();
}

void LaneBoard::disabled(bool was_enabled) {
  const Disabling done = disablings_.front();
  disablings_.pop_front();
  at(done.endpoint).disabling = false;
  if (was_enabled) ++counts_.endpoints_disabled[static_cast<std::size_t>(done.reason)];
}

DispatcherStatistics LaneBoard::statistics() const {
  DispatcherStatistics now = counts_;
  now.in_flight = in_flight_;
  now.claimed_lanes = claimed_;
  now.results_waiting = record_.attempts.size() + being_recorded_;
  for (const auto& [id, endpoint] : endpoints_) {
    if (endpoint->circuit.state() != core::CircuitBreaker::State::closed) ++now.circuits_open;
  }
  return now;
}

}  // namespace fluxora::webhooks
