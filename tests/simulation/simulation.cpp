#include "simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "fluxora/core/api_entry.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/indexer/take_events.hpp"

namespace fluxora::simulation {
namespace {

/// A process ends: what it had not committed is gone. No std::exception, so that nothing in it can catch it.
struct ProcessDied {};

constexpr std::uint32_t first_ledger = 100;
constexpr core::UnixSeconds first_close = 1'700'000'000;
// Rounds in which an indexer that nothing disturbs has caught up, and then some.
constexpr int settling_rounds = 2'000;
constexpr std::size_t intake = 2;  // the process that takes batches of events, behind those that follow the RPC
constexpr std::chrono::milliseconds audit_interval{60'000};
// A fork below everything that is held is one up to here (core::reset_distance), and no reset.
constexpr std::uint32_t longest_whole_fork = 50;

template <class Value>
Value pick(Random& random, std::initializer_list<Value> values) {
  return values.begin()[random.below(values.size())];
}

}  // namespace

struct Simulation::Plan {
  explicit Plan(Random& random) {
    fold = !random.permille(80);
    starts_at_oldest = random.permille(300);
    safety_margin = static_cast<std::uint32_t>(pick(random, {0, 1, 1, 1, 3}));
    batch_ledgers = static_cast<std::uint32_t>(pick(random, {1, 2, 3, 7, 20, 10'000}));
    event_page = static_cast<std::size_t>(pick(random, {2, 3, 5, 10, 2'000}));
    rollback_limit = static_cast<std::size_t>(pick(random, {1, 5, 20, 50'000}));
    steps = random.between(30, 160);
    busy = random.between(1, 4);
    // Each kind of trouble is left out of some seeds, so that none hides another.
    const auto share = [&](std::uint64_t most) { return random.permille(400) ? 0 : random.between(1, most); };
    rpc.failure = share(60);
    rpc.garbage = share(40);
    rpc.nonsense = share(60);
    rpc.lag = share(150);
    rpc.short_page = share(500);
    store_failure = share(40);
    death = share(60);
    forks = share(120);
    meanwhile = share(80);
    api = share(120);
    windows = starts_at_oldest ? 0 : share(30);
    resets = share(20);
    two_instances = random.permille(600);
    kinds = fold && random.permille(400);
    audits = random.permille(400);
    misses = random.permille(700) ? 0 : random.between(1, 150);
    // What storage says is given up where an event is missing, until somebody brings it. Where a fork takes the event
    // back, only an audit comes back to it.
    if (kinds && misses > 0) forks = meanwhile = resets = 0;
  }

  bool fold = true;
  bool starts_at_oldest = false;
  std::uint32_t safety_margin = 1;
  std::uint32_t batch_ledgers = 1;
  std::size_t event_page = 1;
  std::size_t rollback_limit = 1;
  std::uint64_t steps = 0;
  std::uint64_t busy = 1;  ///< transactions of a ledger, at most
  RpcFaults rpc;
  // In so many of a thousand calls or steps.
  std::uint64_t store_failure = 0;
  std::uint64_t death = 0;
  std::uint64_t forks = 0;
  std::uint64_t meanwhile = 0;  ///< the world goes on while a call waits
  std::uint64_t api = 0;
  std::uint64_t windows = 0;
  std::uint64_t resets = 0;
  bool two_instances = false;
  bool kinds = false;  ///< streams of kinds that no event tells
  bool audits = false;
  std::uint64_t misses = 0;  ///< of events, by the RPC server
};

class Simulation::Transport final : public chain::RpcTransport {
 public:
  explicit Transport(Simulation& simulation) : simulation_(simulation) {}
  net::HttpClientResponse post(std::string_view body, const net::HeaderFields&) override {
    return simulation_.at_rpc_call(body);
  }
  void cancel() noexcept override {}

 private:
  Simulation& simulation_;
};

class Simulation::TraceLog final : public ports::Log {
 public:
  explicit TraceLog(const Simulation& simulation) : simulation_(simulation) {}
  void write(ports::LogLevel, std::string_view event, std::string_view message,
             std::initializer_list<ports::LogField>) override {
    if (simulation_.trace_) simulation_.tell("    log: " + std::string(event) + " " + std::string(message));
    // The indexer's own mistakes: a retry heals them, and nothing else would show that they are there.
    if (event == "indexer_error") throw Difference{"the indexer didn't expect: " + std::string(message)};
  }

 private:
  const Simulation& simulation_;
};

void Statistics::add(const Statistics& other) {
  rounds += other.rounds;
  commits += other.commits;
  entries += other.entries;
  rollbacks += other.rollbacks;
  retractions += other.retractions;
  deepest_rollback = std::max(deepest_rollback, other.deepest_rollback);
  time_entries += other.time_entries;
  observations += other.observations;
  deaths += other.deaths;
  rpc_faults += other.rpc_faults;
  store_faults += other.store_faults;
  overtaken += other.overtaken;
  halts += other.halts;
  forks += other.forks;
  resets += other.resets;
  api_writes += other.api_writes;
  late_events += other.late_events;
}

Simulation::Simulation(std::uint64_t seed, bool trace)
    : random_(seed),
      trace_(trace),
      plan_(std::make_unique<const Plan>(random_)),
      chain_(random_, first_ledger, first_close, plan_->kinds, plan_->misses),
      server_(random_),
      clock_(static_cast<core::UnixMillis>(first_close) * 1000),
      model_(chain_, plan_->fold, !plan_->kinds, plan_->safety_margin),
      log_(std::make_unique<TraceLog>(*this)) {
  server_.tip = chain_.grow(chain_.root(), 5, 0, our_network);
  server_.oldest = first_ledger;
  server_.faults = plan_->rpc;
  store_.rollback_limit = plan_->rollback_limit;
  store_.at_call = [this](std::string_view call) { at_store_call(call); };
}

Simulation::~Simulation() = default;

void Simulation::tell(const std::string& text) const {
  if (trace_) std::printf("%s\n", text.c_str());
}

Statistics Simulation::run() {
  for (std::uint64_t i = 0; i < plan_->steps; ++i) step();
  settle();
  statistics_.entries = store_.entries.size();
  statistics_.rpc_faults = server_.faults_done;
  return statistics_;
}

void Simulation::step() {
  if (random_.permille(plan_->forks)) fork();
  if (random_.permille(plan_->api)) write_through_api();
  if (random_.permille(plan_->windows)) move_window();
  if (random_.permille(plan_->resets)) reset_network();
  if (plan_->misses > 0 && random_.permille(150)) bring_late_event();
  if (random_.permille(plan_->death)) dies_in_ = random_.below(30);
  if (random_.permille(600)) let_time_pass();
  if (random_.permille(700)) run_round(plan_->two_instances ? static_cast<std::size_t>(random_.below(2)) : 0);
}

/// The network closes a ledger or some.
void Simulation::let_time_pass() {
  const std::uint64_t count = random_.permille(100) ? random_.between(2, 12) : 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t transactions = random_.permille(400) ? 0 : random_.between(0, plan_->busy);
    server_.tip = chain_.grow(server_.tip, random_.between(1, 8), transactions, server_.tip->network);
  }
  const auto now = static_cast<core::UnixMillis>(server_.tip->header.closed_at) * 1000;
  if (now > clock_.now()) clock_.advance(std::chrono::milliseconds(now - clock_.now()));
  tell("ledger " + std::to_string(server_.tip->header.sequence) + " closed");
}

/// The server's chain becomes another: one that leaves it further back, or one that it had before.
void Simulation::fork() {
  if (tip_switched_ || is_reset_) return;
  const Ledger* tip = server_.tip;
  if (!old_tips_.empty() && random_.permille(250)) {
    const Ledger* back = random_.pick(old_tips_);
    const bool share_some = ledger_at(back, first_ledger) == ledger_at(tip, first_ledger);
    const bool short_enough = back->header.sequence < first_ledger + longest_whole_fork &&
                              tip->header.sequence < first_ledger + longest_whole_fork;
    if (!share_some && !short_enough) return;
    old_tips_.push_back(tip);
    return switch_tip(back);
  }
  const std::uint64_t depth = random_.permille(700) ? random_.between(1, 4) : random_.between(1, 40);
  const bool may_leave_all = tip->header.sequence < first_ledger + longest_whole_fork;
  const Ledger* from = tip;
  for (std::uint64_t i = 0; i < depth && from->parent != nullptr; ++i) {
    if (!may_leave_all && from->header.sequence == first_ledger) break;
    from = from->parent;
  }
  if (from == tip) return;
  old_tips_.push_back(tip);
  const std::uint64_t length = std::max<std::uint64_t>(1, depth + random_.below(4) - 1);
  for (std::uint64_t i = 0; i < length; ++i) {
    // Close times may be the same as on the branch that is left, or others.
    const core::UnixSeconds seconds = random_.between(4, 6);
    from = chain_.grow(from, seconds, random_.between(0, plan_->busy), tip->network);
  }
  switch_tip(from);
}

/// A call sees one switch at most while a round lasts: a server that goes to another branch and back between two calls
/// can't be told from one that stayed, since getEvents names no hashes.
void Simulation::switch_tip(const Ledger* tip) {
  server_.tip = tip;
  tip_switched_ = depth_ > 0;
  tips_.push_back(tip);
  ++statistics_.forks;
  tell("the chain is another: ledger " + std::to_string(tip->header.sequence) + " " +
       core::hex_encode(tip->header.hash).substr(0, 8));
}

void Simulation::move_window() {
  const std::uint32_t latest = server_.tip->header.sequence;
  server_.oldest =
      random_.permille(500) ? first_ledger : static_cast<std::uint32_t>(random_.between(first_ledger, latest));
  tell("the window begins at " + std::to_string(server_.oldest));
}

/// The server serves another chain for a while, which has nothing of ours: a test network after a reset, or another
/// network altogether.
void Simulation::reset_network() {
  if (tip_switched_ || depth_ > 0) return;
  const Ledger* ours = server_.tip;
  const bool other = random_.permille(500);
  const std::uint32_t checkpoint = model_.checkpoint() == nullptr ? 0 : model_.checkpoint()->header.sequence;
  // One that is ours by name has to be one that nobody takes for a fork.
  if (!other && checkpoint < first_ledger + 3) return;
  const std::uint64_t length = other ? random_.between(1, 120) : random_.between(1, checkpoint - first_ledger);
  const Ledger* foreign = chain_.root();
  for (std::uint64_t i = 0; i < length; ++i)
    foreign = chain_.grow(foreign, 5, 0, other ? another_network : our_network);
  tell("the network is reset");
  switch_tip(foreign);
  is_reset_ = true;
  ++statistics_.resets;
  for (std::uint64_t i = random_.between(1, 12); i > 0; --i) {
    clock_.advance(std::chrono::seconds(random_.between(1, 120)));
    run_round(plan_->two_instances ? static_cast<std::size_t>(random_.below(2)) : 0);
  }
  is_reset_ = false;
  switch_tip(ours);
  acknowledge_alarms();
}

/// What an operator does when the right network is back.
void Simulation::acknowledge_alarms() {
  for (ports::IndexerAlarm& alarm : store_.alarms) {
    if (!ports::halts_indexing(alarm.kind) || alarm.acknowledged_at) continue;
    alarm.acknowledged_at = clock_.now();
    alarm.cleared_at = clock_.now();
    tell("the alarm is acknowledged: " + alarm.reason);
  }
}

void Simulation::write_through_api() {
  const auto now = static_cast<core::UnixSeconds>(clock_.now() / 1000);
  const core::Stream* before = nullptr;
  std::string id;
  core::EventPayload payload;
  if (api_streams_.empty() || random_.permille(400)) {
    id = "api-" + std::to_string(api_streams_.size() + 1);
    core::StreamCreated created;
    created.sender = accounts()[0];
    created.recipient = accounts()[1];
    created.deposit = {core::Int128{1'000'000}};
    created.rate_per_second = {core::Int128{1'000}};
    created.start_time = now - 20 + random_.below(60);
    created.cliff_time = created.start_time + (random_.permille(500) ? 0 : random_.between(1, 60));
    created.end_time = created.cliff_time + random_.between(1, 200);
    payload = created;
  } else {
    id = random_.pick(api_streams_);
    before = &store_.streams.at(id);
    if (core::is_final(before->status)) return;
    switch (random_.below(3)) {
      case 0: payload = core::StreamPaused{}; break;
      case 1: payload = core::StreamResumed{}; break;
      default: payload = core::StreamCancelled{};
    }
  }
  auto entry = core::make_api_entry(before, id, payload, now, store_.entries.size() + 1);
  if (before == nullptr) api_streams_.push_back(id);
  store_.entries.push_back(*entry);
  store_.streams[id] = *entry->stream;
  ++statistics_.api_writes;
  tell("api: " + entry->kind + " of " + id + ", entry " + std::to_string(entry->seq));
  model_.written(*entry);
}

/// Somebody else brings an event that the RPC server missed, beside one that stands in the log already.
void Simulation::bring_late_event() {
  std::vector<std::pair<const Ledger*, const Happening*>> missed;
  std::vector<ports::SentEvent> batch;
  for (const Ledger* at = model_.checkpoint(); at != nullptr && at->parent != nullptr; at = at->parent) {
    for (const Happening& happening : at->happenings) {
      if (happening.missed) {
        missed.emplace_back(at, &happening);
      } else if (batch.empty() && (!plan_->fold || happening.event.contract_id != other_contract())) {
        batch.push_back({happening.event, at->header.hash});
      }
    }
  }
  if (missed.empty()) return;
  const auto [ledger, late] = random_.pick(missed);
  batch.push_back({late->event, ledger->header.hash});
  tell("late: " + late->event.event_id + " of ledger " + std::to_string(ledger->header.sequence));

  const std::size_t outer = std::exchange(running_, intake);
  const std::size_t commits = store_.commits.size();
  late->missed = false;
  model_.delivered();
  try {
    const auto transaction = store_.begin_at_held({our_network, contracts()});
    const auto taken = indexer::take_events(batch, plan_->fold, {}, *transaction);
    if (!taken) throw Difference{"a late event was refused: " + taken.error().message};
    ++statistics_.late_events;
  } catch (const ports::StoreUnavailable&) {
    tell("  it isn't taken, or nobody hears that it was");
  } catch (const ProcessDied&) {
    ++statistics_.deaths;
  }
  if (store_.commits.size() == commits) {
    late->missed = true;
    model_.delivered();
  }
  log_locked_ = false;
  running_ = outer;
}

std::string Simulation::contracts() const {
  return plan_->fold ? followed_contracts()[0] + "," + followed_contracts()[1] : "*";
}

void Simulation::start(std::size_t instance) {
  chain::StellarRpcOptions rpc;
  rpc.url = "http://127.0.0.1/";
  rpc.event_page = plan_->event_page;
  indexer::IndexerOptions options;
  options.fold = plan_->fold;
  options.contracts = contracts();
  if (plan_->fold) rpc.contracts = followed_contracts();
  options.expected_passphrase = our_network;
  if (!plan_->starts_at_oldest) options.start_ledger = first_ledger;
  options.batch_ledgers = plan_->batch_ledgers;
  options.safety_margin = plan_->safety_margin;
  if (plan_->audits) options.audit_interval = audit_interval;
  Instance& made = instances_[instance];
  made.rpc = std::make_unique<chain::StellarRpc>(rpc, std::make_unique<Transport>(*this));
  made.indexer =
      std::make_unique<indexer::Indexer>(options, *made.rpc, store_, clock_, *log_, [](bool, std::string_view) {});
}

void Simulation::run_round(std::size_t instance) {
  const std::size_t outer = std::exchange(running_, instance);
  if (++depth_ == 1) {
    tip_switched_ = false;
    tips_ = {server_.tip};
  }
  if (instances_[instance].indexer == nullptr) start(instance);
  Instance& own = instances_[instance];
  if (depth_ == 1 && own.next_round_at > clock_.now()) {
    clock_.advance(std::chrono::milliseconds(own.next_round_at - clock_.now()));
  }
  tell("round of " + std::to_string(instance));
  ++statistics_.rounds;
  try {
    own.next_round_at = clock_.now() + own.indexer->round().count();
    const ports::IndexerStatus status = own.indexer->status();
    if (status.state == ports::IndexerStatus::State::halted) ++statistics_.halts;
    tell("  " + status.summary);
  } catch (const ProcessDied&) {
    ++statistics_.deaths;
    tell("  process " + std::to_string(instance) + " died");
    own = {};
    if (leader_ == instance) leader_.reset();
  }
  if (store_.stopped_leading > seen_stops_ && leader_ == instance) leader_.reset();
  seen_stops_ = store_.stopped_leading;
  log_locked_ = false;
  running_ = outer;
  if (--depth_ == 0) tip_switched_ = false;
}

void Simulation::maybe_die(std::string_view where) {
  if (!dies_in_ || settling_) return;
  if (*dies_in_ > 0) {
    --*dies_in_;
    return;
  }
  dies_in_.reset();
  tell("  dies at " + std::string(where));
  throw ProcessDied{};
}

void Simulation::at_store_call(std::string_view call) {
  if (trace_) tell("    store: " + std::string(call));
  if (call == "lead") {
    store_.may_lead = !leader_ || *leader_ == running_;
    if (store_.may_lead) leader_ = running_;
  }
  if (call == "begin") log_locked_ = false;
  if (call == "lock_log") log_locked_ = true;
  if (call == "committed") check_commit();
  maybe_die(call);
  if (std::exchange(instances_[running_].connection_lost, false)) {
    throw ports::StoreUnavailable("the connection was lost, and the lock with it");
  }
  if (settling_) return;
  if (random_.permille(plan_->store_failure)) {
    ++statistics_.store_faults;
    tell("    the database fails at " + std::string(call));
    if (leader_ == running_ && random_.permille(500)) leader_.reset();  // the session is gone, and the lock with it
    throw ports::StoreUnavailable("simulated trouble");
  }
  if (!log_locked_ && depth_ > 0 && random_.permille(plan_->meanwhile)) write_through_api();
}

net::HttpClientResponse Simulation::at_rpc_call(std::string_view body) {
  if (trace_) tell("    rpc: " + std::string(body));
  maybe_die("an RPC call");
  if (!settling_ && random_.permille(plan_->meanwhile)) happen_meanwhile();
  return server_.answer(body);
}

/// What may happen between a call and its answer.
void Simulation::happen_meanwhile() {
  switch (random_.below(5)) {
    case 0: return let_time_pass();
    case 1: return fork();
    case 2: return plan_->windows > 0 ? move_window() : let_time_pass();
    case 3: return write_through_api();
    default: return let_the_other_go_on();
  }
}

/// A leader stalls so long that another takes over, and wakes up in the middle of its round.
void Simulation::let_the_other_go_on() {
  if (!plan_->two_instances || depth_ != 1) return;
  tell("  " + std::to_string(running_) + " stalls");
  leader_.reset();
  // It may learn of that from its connection, or from the checkpoint alone.
  instances_[running_].connection_lost = random_.permille(500);
  for (std::uint64_t rounds = random_.between(1, 4); rounds > 0; --rounds) run_round(1 - running_);
  tell("  " + std::to_string(running_) + " wakes up");
  ++statistics_.overtaken;
}

void Simulation::check_commit() {
  const ports::IngestRecord& record = store_.commits.back();
  const Ledger* before = model_.checkpoint();
  ++statistics_.commits;
  for (const core::LogEntry& entry : record.entries) {
    if (entry.retracts) ++statistics_.retractions;
    const bool of_time =
        entry.event == core::EventName::stream_cliff_reached || entry.event == core::EventName::stream_ended;
    if (of_time) ++statistics_.time_entries;
    if (entry.event == core::EventName::stream_observed) ++statistics_.observations;
  }
  if (record.forget_above && before != nullptr) {
    ++statistics_.rollbacks;
    const std::uint64_t depth = before->header.sequence - std::max(*record.forget_above, first_ledger - 1);
    statistics_.deepest_rollback = std::max(statistics_.deepest_rollback, depth);
  }
  if (trace_) tell_commit(record);
  model_.committed(record, store_, tips_, server_.highest_shown);
}

void Simulation::tell_commit(const ports::IngestRecord& record) const {
  for (const core::LogEntry& entry : record.entries) {
    const std::string at =
        entry.retracts ? "of " + std::to_string(*entry.retracts) : "in ledger " + std::to_string(*entry.ledger);
    tell("      " + std::to_string(entry.seq) + " " + entry.kind + " " + at + " " + entry.stream_id +
         (entry.stream ? "" : ", no stream"));
  }
  for (const std::string& id : record.findings.observed) tell("      observed " + id);
  for (const ports::ObservationRequest& request : record.to_observe) tell("      to be observed: " + request.stream_id);
  tell("    committed, checkpoint " + std::to_string(record.checkpoint ? record.checkpoint->ledger : 0));
}

/// Nothing goes wrong any more: the indexer has to come to where the chain is.
void Simulation::settle() {
  tell("settling");
  settling_ = true;
  server_.faults = {};
  server_.oldest = first_ledger;
  server_.tip = last_tip();
  acknowledge_alarms();
  for (int round = 0; round < settling_rounds; ++round) {
    run_round(plan_->two_instances ? static_cast<std::size_t>(round % 2) : 0);
    if (plan_->misses > 0) bring_late_event();
    const Ledger* checkpoint = model_.checkpoint();
    const std::uint32_t safe = server_.tip->header.sequence - plan_->safety_margin;
    if (checkpoint != nullptr && checkpoint->header.sequence == safe && is_on_chain(server_.tip, checkpoint) &&
        store_.observations.empty() && model_.is_complete()) {
      return model_.settled(store_);
    }
  }
  throw Difference{"the indexer never comes to ledger " + std::to_string(server_.tip->header.sequence) + ": " +
                   instances_[0].indexer->status().summary};
}

/// The tip that the chain ends up with: the server's, or what goes on from our checkpoint where the server's would be a
/// reset; a few ledgers beyond all that was shown.
const Ledger* Simulation::last_tip() {
  const Ledger* tip = server_.tip;
  const Ledger* held = model_.checkpoint();
  if (held != nullptr && ledger_at(held, first_ledger) != ledger_at(tip, first_ledger) &&
      held->header.sequence >= first_ledger + longest_whole_fork) {
    tip = held;
  }
  const std::uint32_t beyond = std::max(server_.highest_shown, tip->header.sequence) + 2;
  while (tip->header.sequence < beyond) tip = chain_.grow(tip, 5, random_.between(0, plan_->busy), our_network);
  // What contracts hold at the tip is what they hold at the last safe ledger, or it could never be observed.
  for (std::uint32_t i = 0; i <= plan_->safety_margin; ++i) tip = chain_.grow(tip, 5, 0, our_network);
  return tip;
}

}  // namespace fluxora::simulation
