#include "fluxora/indexer/replay.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace fluxora::indexer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_silence{1'000};  // of the progress
// How often readers that don't let go of the served log are waited for, and how long each time.
constexpr int swap_attempts = 200;
constexpr milliseconds swap_pause{3'000};
constexpr std::string_view tables_changed =
    "The log is read, but migrations have changed the served one's tables meanwhile: run it again.";

IndexerOptions unserved(IndexerOptions options) {
  options.is_served = false;
  return options;
}

class Replay {
 public:
  Replay(const IndexerOptions& options, ports::ChainSource& chain, ports::NextLog& next, ports::Clock& clock,
         ports::Log& log, ports::JobProgress& progress)
      : first_ledger_(options.start_ledger.value_or(0)),
        next_(next),
        clock_(clock),
        progress_(progress),
        rows_before_(next.rows()),
        indexer_(unserved(options), chain, next.ledgers(), clock, log, [](bool, std::string_view) {}) {}

  bool run() {
    while (true) {
      milliseconds wait = indexer_.round();
      const ports::IndexerStatus status = indexer_.status();
      if (status.state == ports::IndexerStatus::State::halted) throw ReplayFailed(status.summary);
      refuse_future_start(status);
      if (!report(status)) return false;
      if (is_complete(status)) {
        const ports::NextLog::Swap swap = next_.swap();
        if (swap == ports::NextLog::Swap::done) return true;
        if (swap == ports::NextLog::Swap::stopped) return false;
        if (swap == ports::NextLog::Swap::outdated) throw ReplayFailed(std::string(tables_changed));
        if (swap == ports::NextLog::Swap::busy) wait = wait_for_readers();
        if (swap == ports::NextLog::Swap::more) wait = milliseconds{0};
      }
      if (!sleep(wait)) return false;
    }
  }

 private:
  /// As after a reset of the network, whose ledgers' numbers begin anew.
  void refuse_future_start(const ports::IndexerStatus& status) {
    const std::uint32_t latest = indexer_.statistics().chain_latest;
    if (status.last_ledger > 0 || latest == 0 || first_ledger_ <= latest) return;
    throw ReplayFailed("Ledger " + std::to_string(first_ledger_) +
                       ", where the replay begins, is above the RPC's latest ledger, " + std::to_string(latest) +
                       ". Begin anew (--restart) at a lower one (--from-ledger).");
  }

  /// At the chain's safe tip, and what only the contracts' storage says has been read: the served log has that too.
  bool is_complete(const ports::IndexerStatus& status) {
    return status.last_safe_ledger > 0 && status.last_ledger >= status.last_safe_ledger &&
           next_.ledgers().due_observations(status.last_ledger, 1).empty();
  }

  bool report(const ports::IndexerStatus& status) {
    const auto ledgers_to = [this](std::uint32_t last) -> std::uint64_t {
      return last < first_ledger_ ? 0 : std::uint64_t{last} - first_ledger_ + 1;
    };
    return progress_.reached(ledgers_to(status.last_ledger), ledgers_to(status.last_safe_ledger),
                             rows_before_ + indexer_.statistics().events);
  }

  milliseconds wait_for_readers() {
    if (++swap_attempts_ == swap_attempts) {
      throw ReplayFailed("The log is read, but readers of the served one left no moment to change them: run it again.");
    }
    return swap_pause;
  }

  bool sleep(milliseconds wait) {
    while (wait > longest_silence) {
      if (!clock_.sleep(longest_silence) || !report(indexer_.status())) return false;
      wait -= longest_silence;
    }
    return clock_.sleep(wait);
  }

  const std::uint32_t first_ledger_;
  ports::NextLog& next_;
  ports::Clock& clock_;
  ports::JobProgress& progress_;
  const std::uint64_t rows_before_;
  Indexer indexer_;
  int swap_attempts_ = 0;
};

/// Where a network was reset, its ledgers' numbers begin anew under the same passphrase.
bool is_of_another_chain(const ports::LedgerHeader& held, const ports::LedgerWindow& window,
                         ports::ChainSource& chain) {
  if (held.sequence > window.latest) return true;
  if (held.sequence < window.oldest) return false;  // can't be told, and can't be read either
  return chain.ledgers(held.sequence, held.sequence).front().hash != held.hash;
}

}  // namespace

std::uint32_t replay_start(std::optional<std::uint32_t> wanted, bool anew, ports::NextLog& next,
                           std::optional<std::uint32_t> configured, ports::ChainSource& chain) {
  if (wanted) return *wanted;
  if (!anew) {
    if (const auto begun = next.begun()) return begun->from_ledger;
  }
  if (const auto first = next.served_first_ledger()) {
    const ports::LedgerWindow window = chain.window();
    return is_of_another_chain(*first, window, chain) ? window.oldest : first->sequence;
  }
  return configured ? *configured : chain.window().oldest;
}

bool replay(const IndexerOptions& options, ports::ChainSource& chain, ports::NextLog& next, ports::Clock& clock,
            ports::Log& log, ports::JobProgress& progress) {
  return Replay(options, chain, next, clock, log, progress).run();
}

}  // namespace fluxora::indexer
