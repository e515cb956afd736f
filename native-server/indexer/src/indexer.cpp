#include "fluxora/indexer/indexer.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "alarms.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/chain_tip.hpp"
#include "fluxora/core/circuit_breaker.hpp"
#include "fluxora/indexer/ingest.hpp"
#include "fork.hpp"
#include "halt.hpp"
#include "observer.hpp"
#include "status_board.hpp"

namespace fluxora::indexer {
namespace {

using ports::AlarmKind;
using std::chrono::milliseconds;

// Between rounds that fail. Where the source knows better when to ask it again, that counts.
constexpr core::Backoff backoff;
// One failed call is a hiccup; clients are told from the second on.
constexpr unsigned failures_until_degraded = 2;
// Headers of ledgers in between are cheaper than one more call.
constexpr std::uint32_t header_run_gap = 4;
// How old what the others know of the leader, and the leader of the alarms, may be.
constexpr core::UnixMillis board_interval_ms = 1'000;
// A witness that has been asked answers soon, or turns out to be out of reach.
constexpr milliseconds witness_wait{50};
// The alarm goes up while so small a share of the RPC's window lies between its oldest ledger and our next: of a day's
// window that is some five hours to act in, of a week's more than a day.
constexpr std::uint64_t retention_share_divisor = 5;

std::string rpc_trouble(ports::ChainError::Kind kind) {
  using Kind = ports::ChainError::Kind;
  if (kind == Kind::nonsense) return "Stellar RPC trouble: an answer can't be right.";
  if (kind == Kind::outside_window) return "Stellar RPC trouble: it doesn't hold the ledgers that it was asked for.";
  return "Stellar RPC trouble: it doesn't answer, or with an error.";
}

bool is_due(std::optional<core::UnixMillis> last, core::UnixMillis now) {
  return !last || now < *last || now - *last >= board_interval_ms;
}

}  // namespace

class Indexer::Impl {
 public:
  Impl(IndexerOptions options, ports::ChainSource& chain, ports::LedgerStore& store, ports::Clock& clock,
       ports::Log& log, std::function<void(bool, std::string_view)> on_service, ports::Tracer* tracer)
      : options_(std::move(options)),
        chain_(chain),
        store_(store),
        clock_(clock),
        log_(log),
        on_service_(std::move(on_service)),
        tracer_(tracer),
        tip_(options_.safety_margin),
        observer_(options_.contracts, options_.audit_interval, chain_, store_, clock_, log_),
        alarms_(store_, log_),
        board_(options_, clock_) {}

  milliseconds round() {
    const milliseconds wait = perform_round();
    tell_others();
    return wait;
  }

  /// Waits; false when the process is ending. What others see doesn't wait: a stall begins while nothing is tried, too.
  bool rest(milliseconds wait) {
    constexpr milliseconds step{board_interval_ms};
    for (; wait > step; wait -= step) {
      if (!clock_.sleep(step)) return false;
      tell_others();
    }
    return clock_.sleep(wait);
  }

  ports::IndexerStatus status() const { return board_.status(); }
  IndexerStatistics statistics() const {
    IndexerStatistics statistics = board_.statistics();
    statistics.storage = observer_.statistics();
    return statistics;
  }

 private:
  milliseconds perform_round() {
    try {
      const milliseconds wait = lead_or_watch();
      failures_ = 0;
      announced_halt_.clear();
      return wait;
    } catch (const Halt& halt) {
      return halted(halt.what(), halt.alarm());
    } catch (const ports::ForeignLog& error) {
      return halted(std::string(error.what()) +
                        ". Set STELLAR_RPC_URL and CONTRACT_IDS to what it follows, or use another database.",
                    std::nullopt);
    } catch (const ports::CheckpointMoved& error) {
      stop_leading();
      log_.warn("checkpoint_moved", error.what());
      return options_.poll;
    } catch (const ports::ChainError& error) {
      switch (error.kind()) {
        case ports::ChainError::Kind::cancelled: return milliseconds{0};
        // Behind a load balancer another server may have answered, whose tip is lower; a checkpoint that fell out of
        // the window is seen in the next round, by the window itself.
        case ports::ChainError::Kind::outside_window:
        case ports::ChainError::Kind::unreachable:
        case ports::ChainError::Kind::nonsense: break;
      }
      const milliseconds pause = failed("chain_error", rpc_trouble(error.kind()), error.what(), /*rpc=*/true);
      return error.retry_in().value_or(pause);
    } catch (const ports::StoreUnavailable& error) {
      no_longer_leading();
      return failed("database_unavailable", "The database can't be reached, or takes no writes.", error.what(),
                    /*rpc=*/false);
    } catch (const std::exception& error) {
      // Not expected. The transaction is gone with its scope; start over from what is committed.
      stop_leading();
      return failed("indexer_error", "An unexpected error: the log says more.", error.what(), /*rpc=*/false);
    }
  }

  milliseconds lead_or_watch() {
    const bool led = std::exchange(leads_, store_.lead());
    board_.leads(leads_);
    if (!leads_) {
      opened_ = false;
      watch();
      return options_.poll;
    }
    // Before anything that may fail: what is published from now on goes on from there.
    if (!led) board_.took_over(progress());
    if (witness_state() == ports::WitnessSight::State::not_looked) return witness_wait;
    if (!opened_) open();
    if (is_due(alarms_read_at_, clock_.now())) know_alarms(progress());
    heed_witness();

    const ports::LedgerWindow window = chain_.window();
    board_.count([&](IndexerStatistics& counts) { counts.chain_latest = window.latest; });
    const std::optional<std::uint32_t> held = checkpoint_ ? std::optional(checkpoint_->ledger) : std::nullopt;
    const core::ChainTip::Plan plan =
        tip_.plan(window.oldest, window.latest, held, options_.start_ledger, clock_.now());
    watch_retention(window, plan);
    using Verdict = core::ChainTip::Verdict;
    switch (plan.verdict) {
      case Verdict::missing: throw Halt(missing_text(plan.next, window));
      case Verdict::network_reset: throw Halt(AlarmKind::network_reset, reset_text(window));
      case Verdict::lagging: lag_behind(window); return options_.poll;
      case Verdict::up_to_date: synced(plan.safe, "Up to date."); return look_at_storage();
      case Verdict::index: break;
    }
    const std::uint64_t last = std::uint64_t{plan.next} + options_.batch_ledgers - 1;
    index(plan.next, static_cast<std::uint32_t>(std::min<std::uint64_t>(last, plan.safe)));
    const bool caught_up = checkpoint_ && checkpoint_->ledger >= plan.safe;
    synced(plan.safe, caught_up ? "Up to date." : "Catching up.");
    return caught_up ? look_at_storage() : milliseconds{0};
  }

  /// Where all that is safe is indexed, what contracts hold can be compared with it.
  milliseconds look_at_storage() {
    const bool more_waits = checkpoint_ && observer_.look(*checkpoint_);
    return more_waits ? milliseconds{0} : options_.poll;
  }

  /// A server whose tip is below our checkpoint is waited for, and that doesn't count as synced.
  void lag_behind(const ports::LedgerWindow& window) {
    trouble_.clear();
    board_.waiting("Waiting: " + lagging_text(window));
  }

  [[nodiscard]] std::string lagging_text(const ports::LedgerWindow& window) const {
    return "the RPC's latest ledger, " + std::to_string(window.latest) + ", is below our checkpoint, " +
           std::to_string(checkpoint_->ledger) + ".";
  }

  [[nodiscard]] std::string reset_text(const ports::LedgerWindow& window) const {
    return "The network was reset: " + lagging_text(window) +
           " If the RPC is the wrong one or was set back, point STELLAR_RPC_URL at another and acknowledge the alarm;"
           " if the network began anew, read it into a new epoch with fluxora-server replay.";
  }

  [[nodiscard]] std::string missing_text(std::uint32_t next, const ports::LedgerWindow& window) const {
    const std::string what_to_do =
        checkpoint_ ? " Point STELLAR_RPC_URL at one that still holds ledger " + std::to_string(next) + "."
                    : " Point STELLAR_RPC_URL at one that still holds it, or begin later.";
    return (checkpoint_ ? "The checkpoint, ledger " + std::to_string(checkpoint_->ledger)
                        : "INDEXER_START_LEDGER, " + std::to_string(next)) +
           ", is below the RPC's window " + std::to_string(window.oldest) + " to " + std::to_string(window.latest) +
           ": events in between can't be read from this RPC." + what_to_do;
  }

  void open() {
    const ports::IndexProgress progress = this->progress();
    know_alarms(progress);
    const std::string passphrase = chain_.network_passphrase();
    refuse_other_network(passphrase, progress);
    checkpoint_ = store_.open({passphrase, options_.contracts});
    observer_.open();
    network_ = passphrase;
    opened_ = true;
    board_.opened(passphrase, checkpoint_);
    log_.info("indexer_leads", "",
              {{"network", passphrase},
               {"contracts", options_.contracts},
               {"checkpoint", std::uint64_t{checkpoint_ ? checkpoint_->ledger : 0}}});
  }

  /// With nothing indexed there is nothing to be wrong about: then it halts only as long as the settings disagree.
  void refuse_other_network(const std::string& passphrase, const ports::IndexProgress& progress) const {
    const auto alarm = progress.checkpoint ? std::optional(AlarmKind::other_network) : std::nullopt;
    const std::string serves = "The RPC serves network \"" + passphrase + "\", ";
    if (core::is_other_network(options_.expected_passphrase, passphrase)) {
      throw Halt(alarm, serves + "NETWORK_PASSPHRASE says \"" + options_.expected_passphrase +
                            "\". Correct whichever is wrong" + acknowledge_hint(alarm) + ".");
    }
    if (core::is_other_network(progress.network, passphrase)) {
      throw Halt(alarm, serves + "the database holds the streams of network \"" + progress.network +
                            "\". Point STELLAR_RPC_URL at an RPC of that one" + acknowledge_hint(alarm) +
                            ", or read the other into a new epoch with fluxora-server replay.");
    }
  }

  /// An RPC can come to serve another network while we lead. What links to the checkpoint is of ours; where there is
  /// none, and where the chain has left ours, it has to be asked.
  void refuse_changed_network() {
    const std::string passphrase = chain_.network_passphrase();
    if (passphrase == network_) return;
    const auto alarm = checkpoint_ ? std::optional(AlarmKind::other_network) : std::nullopt;
    throw Halt(alarm, "The RPC serves network \"" + passphrase + "\", and served \"" + network_ +
                          "\" before. Point STELLAR_RPC_URL at an RPC of that one" + acknowledge_hint(alarm) + ".");
  }

  static std::string acknowledge_hint(std::optional<AlarmKind> alarm) {
    return alarm ? " and acknowledge the alarm" : "";
  }

  [[nodiscard]] std::optional<ports::WitnessSight::State> witness_state() const {
    if (options_.witness == nullptr) return std::nullopt;
    return options_.witness->sight().state;
  }

  void heed_witness() const {
    if (options_.witness == nullptr) return;
    const std::string says = options_.witness->sight().network_passphrase;
    if (says.empty() || says == network_) return;
    const auto alarm = checkpoint_ ? std::optional(AlarmKind::other_network) : std::nullopt;
    throw Halt(alarm, "Horizon serves network \"" + says + "\", the RPC \"" + network_ +
                          "\". Correct HORIZON_URL or STELLAR_RPC_URL" + acknowledge_hint(alarm) + ".");
  }

  /// Leaders and alarms are the served log's.
  ports::IndexProgress progress() {
    ports::IndexProgress progress = store_.progress();
    if (!options_.is_served) {
      progress.leader.reset();
      progress.alarms.clear();
    }
    return progress;
  }

  /// Another instance indexes; its progress, and its trouble, are ours to show.
  void watch() {
    const ports::IndexProgress progress = this->progress();
    alarms_.know(progress.alarms);
    board_.watched(progress);
    trouble_ = progress.leader ? progress.leader->trouble : "";
  }

  void know_alarms(const ports::IndexProgress& progress) {
    alarms_.know(progress.alarms);
    alarms_read_at_ = clock_.now();
    if (const ports::IndexerAlarm* alarm = alarms_.halting()) {
      halted_by_alarm_ = true;
      throw Halt(alarm->reason);
    }
    // What was acknowledged is to be looked at anew, not concluded from what was seen before.
    if (!std::exchange(halted_by_alarm_, false)) return;
    tip_ = core::ChainTip(options_.safety_margin);
    announced_halt_.clear();
  }

  void watch_retention(const ports::LedgerWindow& window, const core::ChainTip::Plan& plan) {
    if (!checkpoint_) return board_.retention(std::nullopt);
    const std::uint64_t next = std::uint64_t{checkpoint_->ledger} + 1;
    const std::uint64_t left = next > window.oldest ? next - window.oldest : 0;
    const std::uint64_t held = std::uint64_t{window.latest} - window.oldest + 1;
    board_.retention(static_cast<std::uint32_t>(left));
    // Whoever catches up begins near the oldest ledger and leaves it behind: only who stands there is in danger.
    const bool moves = std::exchange(retention_seen_at_, checkpoint_->ledger) != checkpoint_->ledger;
    using Verdict = core::ChainTip::Verdict;
    const bool behind = plan.verdict == Verdict::index || plan.verdict == Verdict::missing;
    const bool low = behind && left * retention_share_divisor < held;
    if (!options_.is_served || (low && moves)) return;
    alarms_.judge_retention(low, "Only " + std::to_string(left) + " of the RPC's " + std::to_string(held) +
                                     " ledgers are left before it drops ledger " + std::to_string(next) +
                                     ", which isn't indexed: see what keeps the indexer, or point STELLAR_RPC_URL at"
                                     " an RPC that keeps more.");
  }

  /// One batch is one trace, its calls of the RPC among its parts.
  void index(std::uint32_t first, std::uint32_t last) {
    const auto span = tracer_ == nullptr ? nullptr : tracer_->start(ports::SpanKind::internal, "indexer batch");
    try {
      const IngestCounts counts = index_batch(first, last, span ? span->traceparent() : std::string());
      if (!span) return;
      span->set("fluxora.ledger.first", std::int64_t{first});
      span->set("fluxora.ledger.last", std::int64_t{checkpoint_ ? checkpoint_->ledger : 0});
      span->set("fluxora.events.inserted", static_cast<std::int64_t>(counts.inserted));
    } catch (const std::exception&) {
      if (span) span->fail("indexer_batch_failed");
      throw;
    }
  }

  /// Takes the ledgers from `first` on, or goes back where the chain has left ours.
  IngestCounts index_batch(std::uint32_t first, std::uint32_t last, std::string traceparent) {
    // The chain may change between two calls. One hash stands for everything below it, so the batch is of one chain
    // when its last ledger's is the same before and after. SPEC section 9.
    if (!checkpoint_) refuse_changed_network();
    const ports::LedgerHeader before = chain_.ledgers(last, last).front();
    ports::EventBatch read = chain_.events(first, last);
    LedgerBatch batch{first, read.complete_through, {}, std::move(read.events), std::nullopt, std::move(traceparent)};
    batch.headers = read_headers(batch);
    const ports::LedgerHeader after = batch.last == last ? batch.headers.back() : chain_.ledgers(last, last).front();
    if (after.hash != before.hash) {
      throw ports::ChainError(ports::ChainError::Kind::nonsense,
                              "the chain changed below ledger " + std::to_string(last) + " while it was read");
    }
    check_links(batch);
    if (checkpoint_) {
      if (const auto reorg = core::find_reorg({checkpoint_->ledger, checkpoint_->hash}, batch.headers.front())) {
        follow_fork(*reorg, read.window.oldest);
        return {};
      }
      if (batch.headers.front().closed_at <= checkpoint_->closed_at) {
        throw ports::ChainError(ports::ChainError::Kind::nonsense, "the RPC's ledger " + std::to_string(batch.first) +
                                                                       " closes no later than the ledger before it");
      }
      batch.closed_before = checkpoint_->closed_at;
    }

    if (!checkpoint_) refuse_changed_network();
    const auto transaction = store_.begin(checkpoint_);
    const IngestCounts counts = ingest(batch, options_.fold, *transaction);
    const ports::LedgerHeader& header = batch.headers.back();
    checkpoint_ = ports::Checkpoint{header.sequence, header.hash, header.closed_at};
    board_.indexed(header.sequence);
    board_.count([&](IndexerStatistics& sum) {
      ++sum.batches;
      sum.events += counts.inserted;
      sum.duplicates += counts.duplicates;
    });
    if (!batch.events.empty()) {
      log_.info("ledgers_indexed", "",
                {{"first", std::uint64_t{batch.first}},
                 {"last", std::uint64_t{batch.last}},
                 {"inserted", std::uint64_t{counts.inserted}},
                 {"duplicates", std::uint64_t{counts.duplicates}}});
    }
    return counts;
  }

  /// Headers of the batch's ledgers with events, of its last and, to see that it links to the checkpoint, of its first.
  std::vector<ports::LedgerHeader> read_headers(const LedgerBatch& batch) {
    std::vector<std::uint32_t> wanted = {batch.first};
    for (const ports::ChainEvent& event : batch.events) wanted.push_back(event.ledger);
    wanted.push_back(batch.last);
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());

    std::vector<ports::LedgerHeader> headers;
    for (std::size_t i = 0; i < wanted.size();) {
      std::size_t end = i + 1;
      while (end < wanted.size() && wanted[end] - wanted[end - 1] <= header_run_gap) ++end;
      for (const ports::LedgerHeader& header : chain_.ledgers(wanted[i], wanted[end - 1])) headers.push_back(header);
      i = end;
    }
    return headers;
  }

  /// The chain no longer has the last ledger that we indexed: goes back to the last that both have.
  void follow_fork(const core::Reorg& reorg, std::uint32_t oldest_held) {
    refuse_contradiction(oldest_held);
    tip_.reorganised(reorg);
    board_.count([](IndexerStatistics& counts) { ++counts.reorgs; });
    log_.warn("reorg_detected", "the chain no longer contains the last indexed ledger",
              {{"ledger", std::uint64_t{reorg.ledger}},
               {"existingHash", core::hex_encode(reorg.existing_hash)},
               {"incomingHash", core::hex_encode(reorg.incoming_hash)}});
    refuse_changed_network();
    const ForkEnd end = leave_fork(*checkpoint_, oldest_held, chain_, store_);
    checkpoint_ = end.checkpoint;
    const std::uint32_t ledger = checkpoint_ ? checkpoint_->ledger : 0;
    board_.indexed(ledger);
    log_.warn("rolled_back", "",
              {{"ledger", std::uint64_t{ledger}}, {"retracted", static_cast<std::uint64_t>(end.retracted)}});
  }

  /// Where the RPC has our last ledger all the same, nothing has forked: two servers of two chains answer behind it.
  void refuse_contradiction(std::uint32_t oldest_held) {
    if (checkpoint_->ledger < oldest_held) return;
    if (chain_.ledgers(checkpoint_->ledger, checkpoint_->ledger).front().hash != checkpoint_->hash) return;
    throw ports::ChainError(ports::ChainError::Kind::nonsense,
                            "the RPC has ledger " + std::to_string(checkpoint_->ledger) +
                                " as we have it, and a ledger behind it that follows another");
  }

  void check_links(const LedgerBatch& batch) {
    const auto& headers = batch.headers;
    for (std::size_t i = 1; i < headers.size(); ++i) {
      if (!core::links(headers[i - 1], headers[i])) {
        throw ports::ChainError(ports::ChainError::Kind::nonsense,
                                "the RPC's ledgers don't link at " + std::to_string(headers[i].sequence));
      }
    }
    // The chain may have moved between the two calls: events and headers have to be of the same ledgers.
    auto header = headers.begin();
    for (const ports::ChainEvent& event : batch.events) {
      while (header->sequence != event.ledger) ++header;
      if (header->closed_at != event.closed_at) {
        throw ports::ChainError(ports::ChainError::Kind::nonsense,
                                "the RPC's events and ledgers disagree at " + std::to_string(event.ledger));
      }
    }
  }

  void synced(std::uint32_t safe, std::string_view summary) {
    if (checkpoint_) tip_.indexed(checkpoint_->ledger);
    trouble_.clear();
    // One that began and ended within this round counts, too.
    if (const auto reason = board_.stall(); reason && options_.is_served) alarms_.note_stall(*reason);
    board_.synced(safe, summary, tip_.reorg_detected());
  }

  void stop_leading() {
    store_.stop_leading();
    no_longer_leading();
  }

  void no_longer_leading() {
    opened_ = false;
    leads_ = false;
    board_.leads(false);
  }

  /// `summary` is for everyone; `why` may quote the database or a server, and is for the log alone.
  milliseconds failed(std::string_view event, const std::string& summary, std::string_view why, bool rpc) {
    log_.warn(event, why);
    board_.count([](IndexerStatistics& counts) { ++counts.failures; });
    board_.failed(summary, rpc);
    if (++failures_ >= failures_until_degraded && trouble_.empty()) {
      trouble_ = rpc ? "Stellar RPC unreachable" : "Database unreachable";
    }
    return milliseconds(backoff.pause_ms(failures_));
  }

  milliseconds halted(const std::string& why, std::optional<AlarmKind> alarm) {
    if (announced_halt_ != why) {
      announced_halt_ = why;
      log_.error("indexer_halted", why);
    }
    opened_ = false;
    trouble_ = "Indexing halted";
    board_.halted(why, tip_.reorg_detected());
    if (!options_.is_served || (!alarm && !halted_by_alarm_)) return milliseconds(backoff.longest_ms);
    try {
      if (alarm) alarms_.raise_halting(*alarm, why);
      halted_by_alarm_ = true;
    } catch (const ports::StoreUnavailable& error) {
      log_.warn("database_unavailable", error.what());  // what was seen is seen again
    }
    return options_.poll;  // whether it was acknowledged costs the chain nothing
  }

  /// Operators, the other instances, and this one's clients. Never throws.
  void tell_others() {
    try {
      if (options_.is_served) look_after_alarms();
      if (options_.is_served && leads_) publish();
    } catch (const ports::StoreUnavailable&) {
      // The next round says so.
    } catch (const std::exception& error) {
      log_.warn("indexer_error", error.what());
    }
    tell_clients();
  }

  /// Of all instances, and on all: whoever notices first raises it, and the store keeps it to one.
  void look_after_alarms() {
    if (const auto reason = board_.stall())
      alarms_.raise_stall(*reason);
    else if (board_.is_in_sync())
      alarms_.end_stall();
    board_.alarms(alarms_.standing());
  }

  void publish() {
    ports::LeaderReport report = board_.report(trouble_);
    ports::LeaderReport known = published_.value_or(ports::LeaderReport());
    known.synced_at = report.synced_at;
    if (published_ && report == known && !is_due(published_at_, clock_.now())) return;
    store_.publish(report);
    published_ = std::move(report);
    published_at_ = clock_.now();
  }

  /// One notice a change, whatever the reason and whichever instance has it.
  void tell_clients() {
    const bool stalled = board_.status().state == ports::IndexerStatus::State::stalled;
    const std::string reason = trouble_.empty() && stalled ? "Indexing stalled" : trouble_;
    if (std::exchange(told_degraded_, !reason.empty()) == !reason.empty()) return;
    board_.degraded(told_degraded_);
    on_service_(told_degraded_, reason);
  }

  const IndexerOptions options_;
  ports::ChainSource& chain_;
  ports::LedgerStore& store_;
  ports::Clock& clock_;
  ports::Log& log_;
  std::function<void(bool, std::string_view)> on_service_;
  ports::Tracer* const tracer_;

  // The thread's own.
  bool leads_ = false;
  bool opened_ = false;
  std::string network_;  // the RPC's, while opened
  std::optional<ports::Checkpoint> checkpoint_;
  unsigned failures_ = 0;  // rounds in a row
  std::string announced_halt_;
  bool halted_by_alarm_ = false;
  std::string trouble_;  // what clients are to be told; empty: nothing
  bool told_degraded_ = false;
  std::optional<core::UnixMillis> alarms_read_at_;
  std::optional<ports::LeaderReport> published_;
  std::optional<core::UnixMillis> published_at_;
  std::optional<std::uint32_t> retention_seen_at_;
  core::ChainTip tip_;
  Observer observer_;
  Alarms alarms_;

  StatusBoard board_;
};

Indexer::Indexer(IndexerOptions options, ports::ChainSource& chain, ports::LedgerStore& store, ports::Clock& clock,
                 ports::Log& log, std::function<void(bool, std::string_view)> on_service, ports::Tracer* tracer)
    : impl_(std::make_unique<Impl>(std::move(options), chain, store, clock, log, std::move(on_service), tracer)) {}

Indexer::~Indexer() {
  stop();
}

void Indexer::start() {
  thread_ = std::thread([this] {
    while (impl_->rest(impl_->round())) {
    }
  });
}

void Indexer::stop() {
  if (thread_.joinable()) thread_.join();
}

ports::IndexerStatus Indexer::status() const {
  return impl_->status();
}
IndexerStatistics Indexer::statistics() const {
  return impl_->statistics();
}
std::chrono::milliseconds Indexer::round() {
  return impl_->round();
}

}  // namespace fluxora::indexer
