#include "memory_deliveries.hpp"

#include <algorithm>
#include <utility>

#include "fluxora/ports/store_result.hpp"

namespace fluxora::webhooks::test {

using ports::DeliveryState;

/// Its dispatcher's row is made with the first claim, and anew where its time was over, or where it can't know what a
/// claim that failed has claimed.
class MemoryDeliveries::Queue final : public ports::DeliveryQueue {
 public:
  Queue(MemoryDeliveries& all, int owner) : all_(all), owner_(owner) {}

  ports::Claim claim(const ports::ClaimWish& wish) override {
    const Fault fault = fail_before();
    const bool was_there = id_ != 0;
    const bool is_lost = was_there && (in_doubt_ || !all_.is_alive(id_));
    if (is_lost) all_.release_all(id_);
    if (is_lost || !was_there) id_ = ++all_.last_dispatcher_;
    in_doubt_ = fault == Fault::after;
    ports::Claim claim = all_.claim(id_, owner_, wish);
    claim.lost_former = is_lost;
    fail_after(fault);
    return claim;
  }

  void record(const ports::DispatchRecord& record) override {
    const Fault fault = fail_before();
    all_.record(id_, record);
    fail_after(fault);
  }

  ports::DisableEnd disable(std::uint64_t id, const std::string& url, ports::DisableReason reason) override {
    const Fault fault = fail_before();
    ++all_.disable_calls;
    if (!all_.may_disable) return ports::DisableEnd::not_now;
    const Endpoint& endpoint = all_.endpoints.at(id);
    const bool is_it = endpoint.enabled && endpoint.target.url == url;
    if (is_it) all_.disable(id, std::string(ports::disable_reason_name(reason)));
    fail_after(fault);
    return is_it ? ports::DisableEnd::done : ports::DisableEnd::not_enabled;
  }

  void leave() override {
    const Fault fault = fail_before();
    all_.release_all(id_);
    all_.alive_until_.erase(id_);
    fail_after(fault);
  }

 private:
  Fault fail_before() {
    const Fault fault = all_.next_fault();
    if (fault == Fault::before) throw ports::StoreUnavailable("no database");
    return fault;
  }
  static void fail_after(Fault fault) {
    if (fault == Fault::after) throw ports::StoreUnavailable("no answer");
  }

  MemoryDeliveries& all_;
  const int owner_;
  std::uint64_t id_ = 0;
  bool in_doubt_ = false;
};

void MemoryDeliveries::add_endpoint(std::uint64_t id, std::string url) {
  Endpoint& endpoint = endpoints[id];
  endpoint.target.id = id;
  endpoint.target.url = std::move(url);
}

void MemoryDeliveries::add(std::uint64_t endpoint, const std::string& lane, std::uint64_t seq) {
  const ports::LaneKey key{endpoint, epoch, lane};
  deliveries[{key, seq}] = {};
  open_lane(key);
}

void MemoryDeliveries::open_lane(const ports::LaneKey& key) {
  lanes.try_emplace(key, Lane{clock_.now(), std::nullopt, 0});
}

void MemoryDeliveries::enable(std::uint64_t id) {
  Endpoint& endpoint = endpoints.at(id);
  endpoint.enabled = true;
  endpoint.disabled_reason.clear();
  endpoint.disabled_at = std::nullopt;
  endpoint.target.failing_since = std::nullopt;
}

void MemoryDeliveries::disable(std::uint64_t id, const std::string& reason) {
  Endpoint& endpoint = endpoints.at(id);
  endpoint.enabled = false;
  endpoint.disabled_reason = reason;
  endpoint.disabled_at = clock_.now();
}

void MemoryDeliveries::redeliver(const DeliveryKey& key) {
  Delivery& delivery = deliveries.at(key);
  delivery.state = DeliveryState::waiting;
  delivery.tries = 0;
  open_lane(key.first);
}

std::unique_ptr<ports::DeliveryQueue> MemoryDeliveries::make_queue(int owner) {
  return std::make_unique<Queue>(*this, owner);
}

MemoryDeliveries::Delivery& MemoryDeliveries::delivery(std::uint64_t endpoint, const std::string& lane,
                                                       std::uint64_t seq) {
  return deliveries.at({{endpoint, epoch, lane}, seq});
}

std::vector<ports::AttemptRecord> MemoryDeliveries::attempts_of(const DeliveryKey& key) const {
  std::vector<ports::AttemptRecord> found;
  for (const ports::AttemptRecord& attempt : attempts) {
    if (attempt.lane == key.first && attempt.seq == key.second) found.push_back(attempt);
  }
  return found;
}

const MemoryDeliveries::Lane* MemoryDeliveries::lane(std::uint64_t endpoint, const std::string& lane) const {
  const auto found = lanes.find({endpoint, epoch, lane});
  return found == lanes.end() ? nullptr : &found->second;
}

bool MemoryDeliveries::is_alive(std::uint64_t dispatcher) const {
  const auto found = alive_until_.find(dispatcher);
  return found != alive_until_.end() && found->second > clock_.now();
}

std::vector<ports::ClaimedDelivery> MemoryDeliveries::waiting_in(const ports::LaneKey& key) const {
  std::vector<ports::ClaimedDelivery> waiting;
  for (auto place = deliveries.lower_bound({key, 0}); place != deliveries.end(); ++place) {
    const auto& [delivery_key, delivery] = *place;
    if (delivery_key.first != key || waiting.size() == ports::deliveries_a_lane) break;
    if (delivery.state != DeliveryState::waiting) continue;
    ports::ClaimedDelivery claimed;
    claimed.seq = delivery_key.second;
    claimed.id = ports::delivery_id(key.endpoint, key.epoch, claimed.seq);
    claimed.event = "stream.updated";
    claimed.body = std::make_shared<const std::string>(body_bytes, 'x');
    claimed.traceparent = "00-33-44-01";
    claimed.attempts = delivery.attempts;
    claimed.tries = delivery.tries;
    waiting.push_back(std::move(claimed));
  }
  return waiting;
}

bool MemoryDeliveries::has_waiting(const ports::LaneKey& key) const {
  return !waiting_in(key).empty();
}

ports::Claim MemoryDeliveries::claim(std::uint64_t dispatcher, int owner, const ports::ClaimWish& wish) {
  alive_until_[dispatcher] = clock_.now() + ports::dispatcher_life_ms;
  std::map<std::uint64_t, std::size_t> rooms;
  for (const auto& [id, endpoint] : endpoints) rooms[id] = endpoint.enabled ? wish.lanes_an_endpoint : 0;
  for (const ports::EndpointRoom& room : wish.rooms) {
    if (endpoints.at(room.endpoint).enabled) rooms[room.endpoint] = room.lanes;
  }
  ports::Claim claim;
  std::map<std::uint64_t, std::size_t> taken;
  for (auto& [key, lane] : lanes) {
    if (claim.lanes.size() == wish.lanes) break;
    const bool is_free = !lane.claimed_by || !is_alive(*lane.claimed_by);
    if (!is_free || lane.due_at > clock_.now() || taken[key.endpoint] >= rooms[key.endpoint]) continue;
    std::vector<ports::ClaimedDelivery> waiting = waiting_in(key);
    if (waiting.empty()) continue;
    lane.claimed_by = dispatcher;
    lane.owner = owner;
    if (taken[key.endpoint]++ == 0) claim.targets.push_back(endpoints.at(key.endpoint).target);
    claim.lanes.push_back({key, std::move(waiting)});
  }
  return claim;
}

void MemoryDeliveries::record(std::uint64_t dispatcher, const ports::DispatchRecord& record) {
  if (!is_alive(dispatcher)) return;
  alive_until_[dispatcher] = clock_.now() + ports::dispatcher_life_ms;
  for (const ports::AttemptRecord& attempt : record.attempts) {
    const auto lane = lanes.find(attempt.lane);
    if (lane == lanes.end() || lane->second.claimed_by != dispatcher) continue;
    Delivery& delivery = deliveries.at({attempt.lane, attempt.seq});
    if (attempt.number != delivery.attempts + 1) continue;  // recorded already
    delivery.attempts = attempt.number;
    ++delivery.tries;
    if (attempt.end == ports::AttemptEnd::delivered) delivery.state = DeliveryState::delivered;
    if (attempt.end == ports::AttemptEnd::dead) delivery.state = DeliveryState::dead;
    delivery.was_dead = delivery.was_dead || attempt.end == ports::AttemptEnd::dead;
    attempts.push_back(attempt);
  }
  for (const ports::LaneRelease& released : record.releases) release(dispatcher, released);
  for (const ports::EndpointTurn& turn : record.turns)
    endpoints.at(turn.endpoint).target.failing_since = turn.failing_since;
}

void MemoryDeliveries::release(std::uint64_t dispatcher, const ports::LaneRelease& release) {
  const auto found = lanes.find(release.lane);
  if (found == lanes.end() || found->second.claimed_by != dispatcher) return;
  if (has_waiting(release.lane)) {
    found->second = {clock_.now() + release.pause_ms, std::nullopt, 0};
  } else {
    lanes.erase(found);
  }
}

void MemoryDeliveries::release_all(std::uint64_t dispatcher) {
  std::vector<ports::LaneRelease> held;
  for (const auto& [key, lane] : lanes) {
    if (lane.claimed_by == dispatcher) held.push_back({key, 0});
  }
  for (const ports::LaneRelease& lane : held) release(dispatcher, lane);
}

}  // namespace fluxora::webhooks::test
