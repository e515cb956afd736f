#include "fluxora/indexer/verify.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "digest_check.hpp"
#include "refold.hpp"
#include "stream_comparison.hpp"

namespace fluxora::indexer {
namespace {

constexpr std::size_t page_entries = 5'000;

std::optional<std::string> text_or_none(const std::optional<std::uint64_t>& number) {
  if (!number) return std::nullopt;
  return std::to_string(*number);
}

std::optional<std::string> hex_or_none(const std::optional<core::Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return core::hex_encode(*bytes);
}

/// A retraction that leaves no stream says in its `change` whose the stream was. Logs of before that have `{}` there:
/// what is in a log stays as it is, and so this is no finding.
bool is_silent_removal(const core::LogEntry& entry, std::string_view change) {
  return entry.retracts && !entry.stream && change == "{}";
}

class Verification {
 public:
  Verification(ports::LogScan& snapshot, ports::JobProgress& progress)
      : scan_(snapshot), progress_(progress), extent_(foldable_extent(snapshot)), refold_(extent_.folds_chain) {}

  VerifyResult run() {
    begin();
    if (!read_log()) return result_;
    digests_.finish(extent_.checkpoint);
    compare_all_streams(scan_, refold_.streams(), [this](const std::string&, std::vector<FoldDifference> differences) {
      for (FoldDifference& difference : differences) result_.differences.add(std::move(difference));
    });
    result_.finished = true;
    result_.streams = refold_.streams().streams().size();
    result_.ledgers = digests_.ledgers();
    result_.digest = digests_.digest();
    return result_;
  }

 private:
  void begin() {
    if (!extent_.pruned) return;
    result_.from_seq = extent_.oldest_seq;
    result_.pruned_ledger = extent_.pruned->ledger;
    last_seq_ = extent_.oldest_seq - 1;
    take_pruned_streams();
    digests_.begin_behind(*extent_.pruned);
  }

  void take_pruned_streams() {
    const core::Hash states = for_each_left_stream(scan_, extent_.oldest_seq, [&](const ports::PrunedStream& left) {
      last_seqs_.emplace(left.id, left.last_seq);
      take_pruned_stream(left);
    });
    if (states == extent_.pruned->states) return;
    result_.differences.add({FoldDifference::Of::pruned, "", "pruned_states", core::hex_encode(extent_.pruned->states),
                             core::hex_encode(states)});
  }

  void take_pruned_stream(const ports::PrunedStream& left) {
    try {
      if (auto stream = pruned_state(left)) refold_.begin_with(std::move(*stream));
    } catch (const LogUnfoldable&) {
      differs(left.last_seq, "stream_state", hex_or_none(left.state), std::nullopt);
    }
  }

  /// False: ended.
  bool read_log() {
    while (progress_.reached(last_seq_, extent_.head_seq, result_.entries)) {
      std::vector<ports::ScannedEntry> page = scan_.entries(last_seq_, page_entries, /*with_effects=*/true);
      if (page.empty()) {
        if (last_seq_ < extent_.head_seq) differs(last_seq_ + 1, "seq", std::nullopt, std::to_string(last_seq_ + 1));
        return true;
      }
      refold_.expect_retractions(scan_.retracted(page.front().entry.seq, page.back().entry.seq));
      for (ports::ScannedEntry& scanned : page) check(scanned);
      result_.entries += page.size();
    }
    return false;
  }

  void differs(std::uint64_t seq, const char* field, std::optional<std::string> held,
               std::optional<std::string> folded) {
    result_.differences.add(
        {FoldDifference::Of::entry, std::to_string(seq), field, std::move(held), std::move(folded)});
  }

  void check(ports::ScannedEntry& scanned) {
    core::LogEntry& entry = scanned.entry;
    const std::uint64_t seq = entry.seq;
    if (seq > extent_.head_seq) {
      differs(seq, "seq", std::to_string(seq), std::nullopt);
    } else if (seq != last_seq_ + 1) {
      differs(last_seq_ + 1, "seq", std::to_string(seq), std::to_string(last_seq_ + 1));
    }
    last_seq_ = seq;
    if (!scanned.unreadable.empty()) return differs(seq, "entry", scanned.unreadable, std::nullopt);
    check_place(entry);
    check_fold(scanned);
  }

  void check_place(const core::LogEntry& entry) {
    std::optional<std::uint64_t> before;
    if (!entry.stream_id.empty()) {
      const auto [last, first] = last_seqs_.try_emplace(entry.stream_id, entry.seq);
      if (!first) before = std::exchange(last->second, entry.seq);
    }
    if (entry.prev_seq != before) differs(entry.seq, "prev_seq", text_or_none(entry.prev_seq), text_or_none(before));
  }

  void check_fold(ports::ScannedEntry& scanned) {
    core::LogEntry& entry = scanned.entry;
    const std::string change = std::move(entry.change);
    const core::UnixSeconds closed_at = entry.closed_at;
    const Refold::Outcome outcome = refold_.fold(entry);
    tell(outcome.finding, entry);
    if (closed_at != entry.closed_at) {
      differs(entry.seq, "closed_at", std::to_string(closed_at), std::to_string(entry.closed_at));
    }
    if (change != entry.change && !is_silent_removal(entry, change)) {
      differs(entry.seq, "change", change, entry.change);
    }
    const std::optional<core::Bytes> state = core::encode_stream_state(entry);
    if (scanned.state != state) differs(entry.seq, "stream_state", hex_or_none(scanned.state), hex_or_none(state));
    if (outcome.stands) digests_.add(entry);
  }

  void tell(RefoldFinding finding, const core::LogEntry& entry) {
    switch (finding) {
      case RefoldFinding::consistent: return;
      case RefoldFinding::split_missing: return differs(entry.seq, "stream_id", entry.stream_id, std::nullopt);
      case RefoldFinding::retracts_nothing:
      case RefoldFinding::retracts_out_of_order:
        return differs(entry.seq, "retracts", text_or_none(entry.retracts), std::nullopt);
    }
  }

  ports::LogScan& scan_;
  ports::JobProgress& progress_;
  const ports::LogExtent extent_;
  VerifyResult result_;
  Refold refold_;
  DigestCheck digests_{scan_, result_.differences};
  std::uint64_t last_seq_ = 0;
  std::unordered_map<std::string, std::uint64_t> last_seqs_;
};

}  // namespace

VerifyResult verify(ports::LogScan& snapshot, ports::JobProgress& progress) {
  return Verification(snapshot, progress).run();
}

}  // namespace fluxora::indexer
