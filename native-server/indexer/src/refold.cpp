#include "refold.hpp"

#include <utility>

#include "fluxora/core/snapshot_digest.hpp"
#include "fluxora/indexer/log_unfoldable.hpp"

namespace fluxora::indexer {
namespace {

/// Whether undoing it puts its stream back.
bool is_change(const core::LogEntry& entry) {
  return entry.stream.has_value() && !is_of_time(entry.event);
}

core::LogEntry without_payload(const core::LogEntry& entry) {
  core::LogEntry copy;
  copy.seq = entry.seq;
  copy.event = entry.event;
  copy.stream_id = entry.stream_id;
  copy.stream = entry.stream;
  return copy;
}

}  // namespace

void Refold::put(core::Stream stream) {
  from_the_start_ = false;
  log_.put(std::move(stream));
}

void Refold::expect_retractions(std::vector<std::uint64_t> seqs) {
  expected_ = std::move(seqs);
  next_expected_ = 0;
}

std::optional<UndoneLater> Refold::take_undone(std::uint64_t seq) {
  const auto found = undone_later_.find(seq);
  if (found == undone_later_.end()) return std::nullopt;
  std::optional<UndoneLater> undone = std::move(found->second);
  undone_later_.erase(found);
  return undone;
}

void Refold::keep_undone(UndoneLater undone) {
  from_the_start_ = false;
  const std::uint64_t seq = undone.entry.seq;
  undone_later_.insert_or_assign(seq, std::move(undone));
}

bool Refold::is_expected(std::uint64_t seq) {
  while (next_expected_ < expected_.size() && expected_[next_expected_] < seq) ++next_expected_;
  return next_expected_ < expected_.size() && expected_[next_expected_] == seq;
}

bool Refold::take_split(core::LogEntry& entry) {
  if (!split_) return false;
  const core::LogEntry split = *std::exchange(split_, std::nullopt);
  if (entry.seq != split.seq || entry.stream_id != split.stream_id || entry.retracts) return false;
  entry.stream = split.stream;
  entry.change = split.change;
  return true;
}

Refold::Outcome Refold::fold(core::LogEntry& entry) {
  Outcome outcome;
  const bool split_expected = between_halves();
  const bool is_split = take_split(entry);
  if (split_expected && !is_split) outcome.finding = RefoldFinding::split_missing;
  if (entry.retracts) {
    const RefoldFinding finding = fold_retraction(entry);
    if (finding != RefoldFinding::consistent) outcome.finding = finding;
    return outcome;
  }

  outcome.stands = !is_expected(entry.seq);
  std::optional<core::Stream> before;
  if (!is_split) {
    const core::Stream* held = outcome.stands ? nullptr : log_.find(entry.stream_id);
    if (held != nullptr) before = *held;
    entry.stream.reset();
    entry.change = "{}";
    if (folds_chain_ || entry.contract_id.empty()) split_ = log_.fold(entry);
  }
  std::uint64_t change_before = 0;
  if (from_the_start_ && is_change(entry)) change_before = std::exchange(newest_change_[entry.stream_id], entry.seq);
  if (!outcome.stands) {
    undone_later_.insert_or_assign(entry.seq, UndoneLater{without_payload(entry), std::move(before), change_before});
  }
  return outcome;
}

RefoldFinding Refold::fold_retraction(core::LogEntry& entry) {
  entry.stream.reset();
  entry.change = "{}";
  const std::optional<UndoneLater> undone = take_undone(*entry.retracts);
  if (!undone || undone->entry.stream_id != entry.stream_id) return RefoldFinding::retracts_nothing;

  RefoldFinding finding = RefoldFinding::consistent;
  if (from_the_start_ && is_change(undone->entry)) {
    std::uint64_t& newest = newest_change_[entry.stream_id];
    if (newest != undone->entry.seq) finding = RefoldFinding::retracts_out_of_order;
    newest = undone->change_before;
  }
  core::LogEntry made = log_.retract(undone->entry, undone->before, entry.seq);
  entry.stream = std::move(made.stream);
  entry.change = std::move(made.change);
  return finding;
}

ports::LogExtent foldable_extent(ports::LogScan& scan) {
  ports::LogExtent extent = scan.extent();
  if (extent.oldest_seq > 1 && !extent.pruned) {
    throw LogUnfoldable("The log begins with entry " + std::to_string(extent.oldest_seq) +
                        ", and nothing says what the entries before it left: it can't be folded.");
  }
  return extent;
}

core::Hash for_each_left_stream(ports::LogScan& scan, std::uint64_t oldest_seq,
                                const std::function<void(const ports::PrunedStream&)>& take) {
  constexpr std::size_t page_streams = 5'000;
  core::Hash states{};
  std::string last_id;
  for (;;) {
    const std::vector<ports::PrunedStream> page = scan.left_streams(oldest_seq, last_id, page_streams);
    for (const ports::PrunedStream& left : page) {
      states = core::snapshot_digest(states, left.id, left.last_seq, left.state);
      take(left);
    }
    if (page.size() < page_streams) return states;
    last_id = page.back().id;
  }
}

std::optional<core::Stream> pruned_state(const ports::PrunedStream& left) {
  if (!left.state || left.state->empty()) return std::nullopt;
  auto stream = core::decode_stream(*left.state);
  if (!stream || stream->id != left.id) {
    throw LogUnfoldable("What the pruned entries left of stream " + left.id + " can't be read.");
  }
  return std::move(*stream);
}

}  // namespace fluxora::indexer
