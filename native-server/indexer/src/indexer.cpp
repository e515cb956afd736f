#include "fluxora/indexer/indexer.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/chain_tip.hpp"
#include "fluxora/indexer/ingest.hpp"
#include "fluxora/indexer/rollback.hpp"

namespace fluxora::indexer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_backoff{500};
constexpr milliseconds longest_backoff{15'000};
// One failed call is a hiccup; clients are told from the second on.
constexpr int failures_until_degraded = 2;
// Headers of ledgers in between are cheaper than one more call.
constexpr std::uint32_t header_run_gap = 4;
// What one transaction of a rollback undoes, more or less, and how far back a fork is looked for.
constexpr std::size_t rollback_entries = 50'000;
constexpr std::size_t fork_search_ledgers = 100'000;

/// What an operator has to decide; nothing is written until it is gone.
class Halt : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

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
        tip_(options_.safety_margin) {
    status_.state = ports::IndexerStatus::State::starting;
    status_.threshold_ms = options_.stall_threshold.count();
    status_.summary = "Starting.";
    started_at_ = clock_.now();
  }

  milliseconds round() {
    try {
      const milliseconds wait = lead_or_watch();
      recovered();
      return wait;
    } catch (const Halt& halt) {
      return halted(halt.what());
    } catch (const ports::ForeignLog& error) {
      return halted(error.what());
    } catch (const ports::CheckpointMoved& error) {
      store_.stop_leading();
      opened_ = false;
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
      return failed("chain_error", "Stellar RPC trouble: ", error.what(), /*rpc=*/true);
    } catch (const ports::StoreUnavailable& error) {
      opened_ = false;
      return failed("database_unavailable", "Database trouble: ", error.what(), /*rpc=*/false);
    } catch (const std::exception& error) {
      // Not expected. The transaction is gone with its scope; start over from what is committed.
      store_.stop_leading();
      opened_ = false;
      return failed("indexer_error", "Indexer trouble: ", error.what(), /*rpc=*/false);
    }
  }

  ports::IndexerStatus status() const {
    const std::lock_guard lock(mutex_);
    ports::IndexerStatus status = status_;
    const core::UnixMillis since = status.last_successful_sync.value_or(started_at_);
    status.lag_ms = std::max<std::int64_t>(0, clock_.now() - since);
    using State = ports::IndexerStatus::State;
    if (status.state != State::halted && status.lag_ms > status.threshold_ms) {
      status.state = State::stalled;
      status.summary = "No successful sync for longer than the threshold. " + status.summary;
    }
    return status;
  }

  IndexerStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

  bool sleep(milliseconds duration) { return clock_.sleep(duration); }

 private:
  milliseconds lead_or_watch() {
    if (!store_.lead()) {
      opened_ = false;
      watch();
      return options_.poll;
    }
    if (!opened_) open();

    const ports::LedgerWindow window = chain_.window();
    count([&](IndexerStatistics& counts) { counts.chain_latest = window.latest; });
    const std::optional<std::uint32_t> held = checkpoint_ ? std::optional(checkpoint_->ledger) : std::nullopt;
    const core::ChainTip::Plan plan =
        tip_.plan(window.oldest, window.latest, held, options_.start_ledger, clock_.now());
    using Verdict = core::ChainTip::Verdict;
    switch (plan.verdict) {
      case Verdict::missing: throw Halt(missing_text(plan.next, window));
      case Verdict::network_reset: throw Halt("The network was reset: " + lagging_text(window));
      case Verdict::lagging: return lag_behind(window);
      case Verdict::up_to_date: synced(plan.safe, "Up to date."); return options_.poll;
      case Verdict::index: break;
    }
    const std::uint64_t last = std::uint64_t{plan.next} + options_.batch_ledgers - 1;
    index(plan.next, static_cast<std::uint32_t>(std::min<std::uint64_t>(last, plan.safe)));
    const bool caught_up = checkpoint_ && checkpoint_->ledger >= plan.safe;
    synced(plan.safe, caught_up ? "Up to date." : "Catching up.");
    return caught_up ? options_.poll : milliseconds{0};
  }

  [[nodiscard]] std::string lagging_text(const ports::LedgerWindow& window) const {
    return "the RPC's latest ledger, " + std::to_string(window.latest) + ", is below our checkpoint, " +
           std::to_string(checkpoint_->ledger) + ".";
  }

  [[nodiscard]] std::string missing_text(std::uint32_t next, const ports::LedgerWindow& window) const {
    return (checkpoint_ ? "The checkpoint, ledger " + std::to_string(checkpoint_->ledger)
                        : "INDEXER_START_LEDGER, " + std::to_string(next)) +
           ", is below the RPC's window " + std::to_string(window.oldest) + " to " + std::to_string(window.latest) +
           ": events in between can't be read from this RPC.";
  }

  /// A server whose tip is below our checkpoint is waited for, and that doesn't count as synced.
  milliseconds lag_behind(const ports::LedgerWindow& window) {
    const std::lock_guard lock(mutex_);
    status_.state = ports::IndexerStatus::State::healthy;
    status_.summary = "Waiting: " + lagging_text(window);
    status_.rpc_healthy = true;
    return options_.poll;
  }

  void open() {
    const std::string passphrase = chain_.network_passphrase();
    if (core::is_other_network(options_.expected_passphrase, passphrase)) {
      throw Halt("The RPC serves network \"" + passphrase + "\", NETWORK_PASSPHRASE says \"" +
                 options_.expected_passphrase + "\".");
    }
    checkpoint_ = store_.open({passphrase, options_.contracts});
    opened_ = true;
    {
      const std::lock_guard lock(mutex_);
      status_.network = passphrase;
      if (checkpoint_) status_.last_ledger = checkpoint_->ledger;
    }
    log_.info("indexer_leads", "",
              {{"network", passphrase},
               {"contracts", options_.contracts},
               {"checkpoint", std::uint64_t{checkpoint_ ? checkpoint_->ledger : 0}}});
  }

  /// Another instance indexes; its progress is ours to show.
  void watch() {
    const ports::IndexProgress progress = store_.progress();
    const std::lock_guard lock(mutex_);
    status_.state = ports::IndexerStatus::State::healthy;
    status_.summary = "Another instance indexes.";
    status_.rpc_healthy = true;
    status_.last_successful_sync = progress.updated_at;
    if (progress.checkpoint) status_.last_ledger = progress.checkpoint->ledger;
  }

  /// One batch is one trace, its calls of the RPC among its parts.
  void index(std::uint32_t first, std::uint32_t last) {
    const auto span = tracer_ == nullptr ? nullptr : tracer_->start(ports::SpanKind::internal, "indexer batch");
    try {
      const IngestCounts counts = index_batch(first, last);
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
  IngestCounts index_batch(std::uint32_t first, std::uint32_t last) {
    // The chain may change between two calls. One hash stands for everything below it, so the batch is of one chain
    // when its last ledger's is the same before and after. SPEC section 9.
    const ports::LedgerHeader before = chain_.ledgers(last, last).front();
    ports::EventBatch read = chain_.events(first, last);
    LedgerBatch batch{first, read.complete_through, {}, std::move(read.events), std::nullopt};
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
      batch.closed_before = checkpoint_->closed_at;
    }

    const auto transaction = store_.begin(checkpoint_);
    const IngestCounts counts = ingest(batch, options_.fold, *transaction);
    const ports::LedgerHeader& header = batch.headers.back();
    checkpoint_ = ports::Checkpoint{header.sequence, header.hash, header.closed_at};
    {
      const std::lock_guard lock(mutex_);
      status_.last_ledger = header.sequence;
    }
    count([&](IndexerStatistics& sum) {
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
    tip_.reorganised(reorg);
    count([](IndexerStatistics& counts) { ++counts.reorgs; });
    log_.warn("reorg_detected", "the chain no longer contains the last indexed ledger",
              {{"ledger", std::uint64_t{reorg.ledger}},
               {"existingHash", core::hex_encode(reorg.existing_hash)},
               {"incomingHash", core::hex_encode(reorg.incoming_hash)}});
    const std::vector<core::LedgerHeader> held = store_.newest_ledgers(fork_search_ledgers);
    const std::optional<ports::Checkpoint> common = find_common_ledger(held, oldest_held);
    const std::uint32_t target = common ? common->ledger : 0;
    std::size_t retracted = 0;
    // In steps, so that no transaction grows with the fork's depth. Each leaves a whole log of a lower checkpoint.
    while (checkpoint_ && checkpoint_->ledger > target) {
      const std::uint32_t step = store_.rollback_step(target, rollback_entries);
      const std::optional<ports::Checkpoint> to = step > target ? checkpoint_at(held, step) : common;
      retracted += roll_back(to, *store_.begin(checkpoint_));
      checkpoint_ = to;
    }
    log_.warn("rolled_back", "",
              {{"ledger", std::uint64_t{target}}, {"retracted", static_cast<std::uint64_t>(retracted)}});
    const std::lock_guard lock(mutex_);
    status_.last_ledger = target;
  }

  /// The last ledger that the chain and we have; none where they part at our first. Throws Halt where what we hold goes
  /// back too far to be a fork.
  std::optional<ports::Checkpoint> find_common_ledger(const std::vector<core::LedgerHeader>& held,
                                                      std::uint32_t oldest_held) {
    std::vector<core::LedgerId> ours;
    for (const core::LedgerHeader& header : held) {
      if (header.sequence >= oldest_held) ours.push_back({header.sequence, header.hash});
    }
    core::ForkSearch search(ours);
    while (const std::optional<std::uint32_t> wanted = search.next()) {
      search.answer(chain_.ledgers(*wanted, *wanted).front().hash);
    }
    if (const auto common = search.common()) return checkpoint_at(held, common->sequence);
    const bool all_searched = !held.empty() && ours.size() == held.size() && held.size() < fork_search_ledgers;
    if (!all_searched || held.front().sequence - held.back().sequence > core::reset_distance) {
      throw Halt("The chain shares none of the ledgers that we hold from " + std::to_string(checkpoint_->ledger) +
                 " down: it is another network, or was reset.");
    }
    return std::nullopt;
  }

  static ports::Checkpoint checkpoint_at(const std::vector<core::LedgerHeader>& held, std::uint32_t sequence) {
    const auto found = std::find_if(held.begin(), held.end(),
                                    [&](const core::LedgerHeader& header) { return header.sequence == sequence; });
    return {found->sequence, found->hash, found->closed_at};
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
    const std::lock_guard lock(mutex_);
    status_.state = ports::IndexerStatus::State::healthy;
    status_.summary = summary;
    status_.last_safe_ledger = safe;
    status_.last_successful_sync = clock_.now();
    status_.reorg_detected = tip_.reorg_detected();
    status_.rpc_healthy = true;
  }

  void recovered() {
    failures_ = 0;
    backoff_ = first_backoff;
    announced_halt_.clear();
    if (!exchange_degraded(false)) return;
    log_.info("service_recovered", "");
    on_service_(false, "The chain is being followed again.");
  }

  milliseconds failed(std::string_view event, std::string_view what, std::string_view why, bool rpc) {
    const std::string summary = std::string(what) + std::string(why);
    log_.warn(event, summary);
    count([](IndexerStatistics& counts) { ++counts.failures; });
    {
      const std::lock_guard lock(mutex_);
      if (rpc) status_.rpc_healthy = false;
      status_.summary = summary;
    }
    if (++failures_ >= failures_until_degraded) degrade(rpc ? "Stellar RPC unreachable" : "Database unreachable");
    return std::exchange(backoff_, std::min(backoff_ * 2, longest_backoff));
  }

  milliseconds halted(const std::string& why) {
    {
      const std::lock_guard lock(mutex_);
      status_.state = ports::IndexerStatus::State::halted;
      status_.summary = why;
      status_.reorg_detected = tip_.reorg_detected();
    }
    if (announced_halt_ != why) {
      announced_halt_ = why;
      log_.error("indexer_halted", why);
    }
    opened_ = false;
    degrade("Indexing halted");
    return longest_backoff;
  }

  template <class Change>
  void count(Change change) {
    const std::lock_guard lock(mutex_);
    change(statistics_);
  }

  bool exchange_degraded(bool degraded) {
    const std::lock_guard lock(mutex_);
    return std::exchange(status_.degraded, degraded);
  }

  void degrade(std::string_view reason) {
    if (exchange_degraded(true)) return;
    log_.warn("service_degraded", reason);
    on_service_(true, reason);
  }

  const IndexerOptions options_;
  ports::ChainSource& chain_;
  ports::LedgerStore& store_;
  ports::Clock& clock_;
  ports::Log& log_;
  std::function<void(bool, std::string_view)> on_service_;
  ports::Tracer* const tracer_;
  core::UnixMillis started_at_ = 0;

  // The thread's own.
  bool opened_ = false;
  std::optional<ports::Checkpoint> checkpoint_;
  int failures_ = 0;
  milliseconds backoff_ = first_backoff;
  std::string announced_halt_;
  core::ChainTip tip_;

  mutable std::mutex mutex_;
  ports::IndexerStatus status_;
  IndexerStatistics statistics_;
};

Indexer::Indexer(IndexerOptions options, ports::ChainSource& chain, ports::LedgerStore& store, ports::Clock& clock,
                 ports::Log& log, std::function<void(bool, std::string_view)> on_service, ports::Tracer* tracer)
    : impl_(std::make_unique<Impl>(std::move(options), chain, store, clock, log, std::move(on_service), tracer)) {}

Indexer::~Indexer() {
  stop();
}

void Indexer::start() {
  thread_ = std::thread([this] {
    while (impl_->sleep(impl_->round())) {
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
