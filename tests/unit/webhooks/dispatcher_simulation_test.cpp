// Dispatchers as the server runs them, several on one database, in a world that a seed decides: receivers, time, and
// what goes wrong with them, with the database and with the processes.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fluxora/webhooks/dispatcher.hpp"
#include "held_transport.hpp"
#include "memory_deliveries.hpp"
#include "random.hpp"

namespace fluxora::webhooks::test {
namespace {

using namespace std::chrono_literals;
using ports::DeliveryState;
using ports::TransportFailure;
using Key = MemoryDeliveries::DeliveryKey;
using Random = simulation::Random;

constexpr std::uint64_t usual_seeds = 300;
constexpr int settling_rounds = 600;
constexpr std::uint64_t steps_a_check = 5;

/// What is seen over all seeds: what never happens isn't tested.
struct Seen {
  std::map<std::string, std::uint64_t> counts;
  void count(const std::string& what, std::uint64_t times = 1) { counts[what] += times; }
};

class NumberedRandom final : public ports::Random {
 public:
  explicit NumberedRandom(simulation::Random& random) : random_(random) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_.next());
  }

 private:
  simulation::Random& random_;
};

/// How often what happens, in 1,000 steps. Each kind of trouble is left out of some seeds, so that none hides another.
struct Plan {
  explicit Plan(Random& random) {
    const auto share = [&](std::uint64_t most) { return random.permille(400) ? 0 : random.between(1, most); };
    processes = static_cast<int>(random.between(1, 3));
    endpoints = random.between(1, 5);
    lanes = random.between(1, 6);
    concurrency = static_cast<unsigned>(random.between(1, 12));
    endpoint_concurrency = static_cast<unsigned>(random.between(1, 4));
    steps = random.between(100, 500);
    failing = share(600);
    silent = share(400);
    asks_for_time = share(150);
    gone = share(40);
    faults = share(150);
    crashes = share(25);
    restarts = share(25);
    stalls = share(30);
    operators = share(60);
    long_waits = share(60);
  }

  int processes = 1;
  std::uint64_t endpoints = 1, lanes = 1, steps = 0;
  unsigned concurrency = 1, endpoint_concurrency = 1;
  std::uint64_t failing = 0, silent = 0, asks_for_time = 0, gone = 0;
  std::uint64_t faults = 0, crashes = 0, restarts = 0, stalls = 0, operators = 0, long_waits = 0;
};

class World {
 public:
  World(std::uint64_t seed, Seen& seen, bool tells)
      : random_(seed), plan_(random_), seen_(seen), tells_(tells), chance_(random_) {
    for (std::uint64_t id = 1; id <= plan_.endpoints; ++id) deliveries_.add_endpoint(id);
    for (int i = 0; i < plan_.processes; ++i) processes_.push_back(start(i));
    deliveries_.next_fault = [this] { return fault(); };
  }

  void run() {
    for (step_ = 0; step_ < plan_.steps; ++step_) {
      step();
      if (step_ % steps_a_check == 0) check_database();
    }
    settle();
    check_end();
    for (auto& process : processes_) note_statistics(*process);
  }

 private:
  struct Process {
    int number = 0;
    HeldTransport transport;
    std::set<std::uint64_t> gone;  // endpoints that told it so, and weren't enabled since
    bool stopping = false;
    std::unique_ptr<Dispatcher> dispatcher;
  };

  void tell(const std::string& what) const {
    if (tells_) std::cout << step_ << " " << clock_.now() << ": " << what << "\n";
  }
  [[noreturn]] void differ(const std::string& invariant, const std::string& what) const {
    throw std::logic_error(invariant + ": " + what + " at step " + std::to_string(step_));
  }

  void forbid(const std::string& invariant, const std::string& what) {
    if (forbidden_.empty()) forbidden_ = invariant + ": " + what + " at step " + std::to_string(step_);
  }

  std::unique_ptr<Process> start(int number) {
    auto process = std::make_unique<Process>();
    process->number = number;
    process->transport.on_send = [this, at = process.get()](const HeldTransport::Request& request) {
      check_send(*at, request);
    };
    DispatcherOptions options;
    options.schedule = *core::RetrySchedule::parse("5s,60s,10m");
    options.concurrency = plan_.concurrency;
    options.endpoint_concurrency = plan_.endpoint_concurrency;
    options.disable_after_ms = 3'600'000;
    options.configured_secret = "whsec_" + std::string(43, 'A') + "=";
    process->dispatcher = std::make_unique<Dispatcher>(options, deliveries_.make_queue(number), process->transport,
                                                       nullptr, clock_, chance_, log_, nullptr);
    return process;
  }

  MemoryDeliveries::Fault fault() {
    if (settling_ || !random_.permille(plan_.faults)) return MemoryDeliveries::Fault::none;
    seen_.count("faults");
    return random_.permille(500) ? MemoryDeliveries::Fault::before : MemoryDeliveries::Fault::after;
  }

  void step() {
    clock_.advance(std::chrono::milliseconds(random_.below(200)));
    if (random_.permille(400)) add();
    if (random_.permille(600)) round(*random_.pick(processes_));
    if (random_.permille(900)) answer(*random_.pick(processes_));
    if (random_.permille(plan_.stalls)) clock_.advance(std::chrono::milliseconds(random_.between(5'000, 15'000)));
    if (random_.permille(plan_.long_waits)) clock_.advance(std::chrono::milliseconds(random_.between(1, 1'200'000)));
    if (random_.permille(plan_.operators)) operate();
    deliveries_.may_disable = !random_.permille(plan_.faults);
    if (random_.permille(plan_.crashes)) crash(random_.below(processes_.size()));
    if (random_.permille(plan_.restarts)) restart(random_.below(processes_.size()));
  }

  void add() {
    const std::uint64_t endpoint = random_.between(1, plan_.endpoints);
    if (!deliveries_.endpoints.at(endpoint).enabled) return;
    const std::string lane = "lane" + std::to_string(random_.below(plan_.lanes));
    deliveries_.add(endpoint, lane, ++last_seq_);
    lane_of_[{endpoint, last_seq_}] = {endpoint, MemoryDeliveries::epoch, lane};
    seen_.count("added");
    tell("added " + std::to_string(last_seq_) + " to " + std::to_string(endpoint) + " " + lane);
  }

  void round(Process& process) {
    tell("round of " + std::to_string(process.number));
    process.dispatcher->round();
  }

  void answer(Process& process) {
    auto& held = process.transport.held;
    if (held.empty()) return;
    auto place = held.begin();
    std::advance(place, random_.below(held.size()));
    const Key key = key_of(*place);
    ports::WebhookAnswer answer = draw_answer(process, key, place->request.url);
    tell("answer " + std::to_string(answer.status) + " " + std::string(transport_failure_name(answer.failure)) +
         " to " + place->id() + " of " + std::to_string(process.number));
    process.transport.answer(place, std::move(answer));
  }

  ports::WebhookAnswer draw_answer(Process& process, const Key& key, const std::string& url) {
    if (settling_) return arrives(key);
    if (random_.permille(plan_.silent)) {
      // It may have come, and we aren't told.
      if (random_.permille(400)) arrives(key);
      return HeldTransport::failing(random_.permille(500) ? TransportFailure::timed_out
                                                          : TransportFailure::connect_failed);
    }
    if (random_.permille(plan_.gone)) {
      // What isn't at that address any more isn't gone.
      if (url == deliveries_.endpoints.at(key.first.endpoint).target.url) process.gone.insert(key.first.endpoint);
      return HeldTransport::with_status(410);
    }
    if (random_.permille(plan_.asks_for_time)) {
      auto answer = HeldTransport::with_status(random_.permille(500) ? 429 : 503);
      answer.retry_after_ms = static_cast<std::int64_t>(random_.below(4'000'000));
      return answer;
    }
    if (random_.permille(plan_.failing)) return HeldTransport::with_status(random_.permille(500) ? 500 : 404);
    return arrives(key);
  }

  ports::WebhookAnswer arrives(const Key& key) {
    if (arrived_.insert(key).second) {
      for (auto place = deliveries_.deliveries.lower_bound({key.first, 0}); place->first != key; ++place) {
        const auto& [before, delivery] = *place;
        if (!arrived_.contains(before) && !delivery.was_dead) {
          differ("a stream's messages arrive in order", name(key) + " came before " + name(before));
        }
      }
    } else {
      seen_.count("arrived again");
    }
    return HeldTransport::with_status(200);
  }

  void operate() {
    const std::uint64_t id = random_.between(1, plan_.endpoints);
    if (deliveries_.endpoints.at(id).enabled) {
      if (random_.permille(200)) return move(id);
      if (!random_.permille(300)) return redeliver();
      tell("operator disables " + std::to_string(id));
      deliveries_.disable(id, "operator");
    } else {
      enable(id);
    }
  }

  void move(std::uint64_t id) {
    tell("operator moves " + std::to_string(id));
    deliveries_.endpoints.at(id).target.url += "/on";
    deliveries_.endpoints.at(id).target.failing_since = std::nullopt;
    for (auto& process : processes_) process->gone.erase(id);
    seen_.count("moved");
  }

  void enable(std::uint64_t id) {
    tell("operator enables " + std::to_string(id));
    deliveries_.enable(id);
    for (auto& process : processes_) process->gone.erase(id);
  }

  void redeliver() {
    for (const auto& [key, delivery] : deliveries_.deliveries) {
      if (delivery.state != DeliveryState::dead || !random_.permille(300)) continue;
      deliveries_.redeliver(key);
      seen_.count("redelivered");
      return;
    }
  }

  void crash(std::size_t number) {
    tell("crash of " + std::to_string(number));
    auto& process = processes_[number];
    note_statistics(*process);
    // What was on its way may arrive, or not.
    for (const auto& request : process->transport.held) {
      if (random_.permille(500)) arrives(key_of(request));
    }
    process->transport.held.clear();
    process = start(static_cast<int>(number));
    seen_.count("crashes");
  }

  void restart(std::size_t number) {
    tell("restart of " + std::to_string(number));
    auto& process = processes_[number];
    process->dispatcher->begin_stop();
    process->stopping = true;
    for (std::uint64_t i = random_.below(4); i > 0; --i) {
      answer(*process);
      round(*process);
    }
    process->dispatcher->stop(0ms);
    // The transport ends behind it, and says so.
    while (!process->transport.held.empty()) {
      process->transport.answer(HeldTransport::failing(TransportFailure::cancelled));
    }
    note_statistics(*process);
    process = start(static_cast<int>(number));
    seen_.count("restarts");
  }

  void settle() {
    tell("nothing goes wrong any more");
    settling_ = true;
    deliveries_.may_disable = true;
    for (int i = 0; i < settling_rounds && !all_done(); ++i) {
      for (std::uint64_t id = 1; id <= plan_.endpoints; ++id) {
        if (!deliveries_.endpoints.at(id).enabled) enable(id);
      }
      for (auto& process : processes_) {
        round(*process);
        while (!process->transport.held.empty()) answer(*process);
        round(*process);
      }
      check_database();
      clock_.advance(i % 10 == 9 ? 900s : 2s);
      ++step_;
    }
  }

  [[nodiscard]] bool all_done() const {
    return std::none_of(deliveries_.deliveries.begin(), deliveries_.deliveries.end(),
                        [](const auto& delivery) { return delivery.second.state == DeliveryState::waiting; });
  }

  /// As a request leaves. The dispatcher would take what is thrown here for a request that can't be sent.
  void check_send(Process& process, const HeldTransport::Request& request) {
    const Key key = key_of(request);
    const std::uint64_t id = key.first.endpoint;
    seen_.count("sent");
    if (process.stopping) forbid("nothing is begun while a process ends", name(key));
    const auto& held = process.transport.held;
    if (held.size() > plan_.concurrency) forbid("no more is in flight than may be", std::to_string(held.size()));
    const auto same = static_cast<std::size_t>(
        std::count_if(held.begin(), held.end(), [&](const auto& other) { return key_of(other).first.endpoint == id; }));
    if (same > plan_.endpoint_concurrency) forbid("an endpoint gets no more at once than it may", name(key));
    const auto lane = deliveries_.lanes.find(key.first);
    if (lane == deliveries_.lanes.end() || !lane->second.claimed_by || lane->second.owner != process.number) {
      forbid("only who holds a lane sends from it", name(key));
    }
    if (process.gone.contains(id)) forbid("nothing is sent to who is gone", name(key));
    const auto& endpoint = deliveries_.endpoints.at(id);
    if (!endpoint.enabled && clock_.now() - *endpoint.disabled_at >= Dispatcher::claim_fresh_ms) {
      forbid("nothing is sent to disabled endpoints", name(key));
    }
  }

  void check_database() const {
    if (!forbidden_.empty()) throw std::logic_error(forbidden_);
    std::map<Key, std::vector<unsigned>> numbers;
    for (const auto& attempt : deliveries_.attempts) numbers[{attempt.lane, attempt.seq}].push_back(attempt.number);
    if (deliveries_.deliveries.size() != lane_of_.size()) differ("no delivery is gone", "one is");
    for (const auto& [key, delivery] : deliveries_.deliveries) {
      if (delivery.state == DeliveryState::waiting && !deliveries_.lanes.contains(key.first)) {
        differ("what waits has a lane", name(key));
      }
      if (delivery.state == DeliveryState::delivered && !arrived_.contains(key)) {
        differ("what is delivered has arrived", name(key));
      }
      const auto& made = numbers[key];
      if (made.size() != delivery.attempts) differ("attempts add up", name(key));
      for (std::size_t i = 0; i < made.size(); ++i) {
        if (made[i] != i + 1) differ("attempts are numbered one after another", name(key));
      }
      if (delivery.tries > most_tries) differ("no delivery is tried too often", name(key));
      if (delivery.state == DeliveryState::dead && delivery.tries != most_tries) {
        differ("only what was tried often enough is dead", name(key));
      }
    }
  }

  void check_end() const {
    if (!all_done()) differ("in the end every delivery is delivered or dead", "one waits");
    for (const auto& process : processes_) {
      process->dispatcher->round();
      const auto now = process->dispatcher->statistics();
      if (now.in_flight != 0 || now.claimed_lanes != 0 || now.results_waiting != 0) {
        differ("in the end nothing is in hand", std::to_string(now.claimed_lanes));
      }
    }
    if (!deliveries_.lanes.empty()) differ("in the end there are no lanes", deliveries_.lanes.begin()->first.lane);
  }

  void note_statistics(const Process& process) {
    const auto now = process.dispatcher->statistics();
    for (std::size_t i = 0; i < attempt_outcomes.size(); ++i) {
      seen_.count(std::string(attempt_outcomes[i]), now.attempts[i]);
    }
    for (std::size_t i = 0; i < disable_reasons.size(); ++i) {
      seen_.count("disabled " + std::string(ports::disable_reason_name(disable_reasons[i])), now.endpoints_disabled[i]);
    }
    seen_.count("claims lost", now.claims_lost);
    seen_.count("circuits open", now.circuits_open);
  }

  Key key_of(const HeldTransport::Request& request) const {
    std::istringstream id(request.id());  // wd_<endpoint>_e1_<seq>
    std::string part;
    std::getline(id, part, '_');
    std::getline(id, part, '_');
    const std::uint64_t endpoint = std::stoull(part);
    std::getline(id, part, '_');
    std::getline(id, part);
    const std::uint64_t seq = std::stoull(part);
    return {lane_of_.at({endpoint, seq}), seq};
  }
  static std::string name(const Key& key) {
    return ports::delivery_id(key.first.endpoint, key.first.epoch, key.second) + " of " + key.first.lane;
  }

  static constexpr unsigned most_tries = 4;

  Random random_;
  const Plan plan_;
  Seen& seen_;
  const bool tells_;
  NumberedRandom chance_;
  fakes::FakeClock clock_{1'800'000'000'000};
  fakes::FakeLog log_;
  MemoryDeliveries deliveries_{clock_};
  std::vector<std::unique_ptr<Process>> processes_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, ports::LaneKey> lane_of_;
  std::set<Key> arrived_;
  std::uint64_t last_seq_ = 0;
  std::uint64_t step_ = 0;
  bool settling_ = false;
  std::string forbidden_;
};

std::uint64_t number_of(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

/// FLUXORA_SEED runs one seed, told step by step; FLUXORA_SEEDS so many.
TEST(DispatcherSimulation, EveryDeliveryIsDeliveredWaitingOrDead) {
  const std::uint64_t chosen = number_of("FLUXORA_SEED", 0);
  const std::uint64_t first = chosen == 0 ? 1 : chosen;
  const std::uint64_t last = chosen == 0 ? number_of("FLUXORA_SEEDS", usual_seeds) : chosen;
  Seen seen;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    try {
      World(seed, seen, chosen != 0).run();
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ": " << error.what() << "\n  replay: FLUXORA_SEED=" << seed
             << " fluxora_webhooks_tests --gtest_filter=DispatcherSimulation.*";
    }
  }
  if (last - first + 1 < usual_seeds) return;
  for (const auto& [what, count] : seen.counts) EXPECT_GT(count, 0u) << what;
  EXPECT_GE(seen.counts.size(), 15u);
}

}  // namespace
}  // namespace fluxora::webhooks::test
