#include "fluxora/indexer/rebuild.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "refold.hpp"
#include "stream_comparison.hpp"

namespace fluxora::indexer {
namespace {

/// Rows looked at in one statement, at the end.
constexpr std::size_t rows_at_once = 5'000;

using Ids = std::unordered_set<std::string>;

/// The streams, and whatever was ever split off from any of them or they from: together their entries can be folded
/// without the rest of the log.
std::vector<std::string> with_relatives(Ids streams, ports::LogScan& scan) {
  std::vector<std::string> newest(streams.begin(), streams.end());
  while (!newest.empty()) {
    std::vector<std::string> found = scan.split_relatives(newest);
    newest.clear();
    for (std::string& id : found) {
      if (streams.insert(id).second) newest.push_back(std::move(id));
    }
  }
  return {streams.begin(), streams.end()};
}

class Rebuild {
 public:
  Rebuild(ports::RebuildStore& store, ports::JobProgress& progress, const RebuildOptions& options)
      : store_(store),
        progress_(progress),
        options_(options),
        extent_(foldable_extent(store.log())),
        refold_(extent_.folds_chain) {}

  RebuildResult run() {
    if (!resume()) begin();
    result_.finished = catch_up() && find_suspects() && catch_up() && finish();
    if (!result_.finished) save();
    result_.entries = folded_;
    result_.streams = refold_.streams().streams().size();
    return result_;
  }

 private:
  /// False: there is no place from which the log can be gone on with.
  bool resume() {
    const std::optional<ports::RebuildPlace> place = store_.place();
    if (!place) return false;
    const bool is_below_pruned = place->seq + 1 < extent_.oldest_seq;
    if (place->epoch != extent_.epoch || place->seq > extent_.head_seq || is_below_pruned) {
      store_.forget_place();
      return false;
    }
    store_.load([this](core::Stream stream) { refold_.put(std::move(stream)); });
    folded_ = saved_ = result_.resumed_from = place->seq;
    return true;
  }

  /// With what pruned entries have left, if there were any. The claim keeps more from being pruned meanwhile.
  void begin() {
    if (!extent_.pruned) return;
    const auto states = for_each_left_stream(store_.log(), extent_.oldest_seq, [this](const ports::PrunedStream& left) {
      auto stream = pruned_state(left);
      if (!stream) return;
      unsaved_.insert(left.id);
      refold_.begin_with(std::move(*stream));
    });
    if (states != extent_.pruned->states) {
      throw LogUnfoldable(
          "What the pruned entries left of the streams isn't what they left when they were pruned: restore a"
          " backup, or read the chain again with fluxora-server replay.");
    }
    folded_ = saved_ = extent_.oldest_seq - 1;
  }

  void save() {
    if (folded_ == saved_) return;
    std::vector<ports::RebuiltStream> streams;
    streams.reserve(unsaved_.size());
    for (const std::string& id : unsaved_) streams.push_back(rebuilt(id));
    store_.save({extent_.epoch, folded_}, streams);
    saved_ = folded_;
    unsaved_.clear();
  }

  [[nodiscard]] ports::RebuiltStream rebuilt(const std::string& id) const {
    const core::Stream* stream = refold_.streams().find(id);
    return {id, stream != nullptr ? std::optional(*stream) : std::nullopt};
  }

  /// Folds up to the log's end. False: ended.
  bool catch_up() {
    for (;;) {
      const ports::LogExtent extent = same_log(store_.log());
      if (!progress_.reached(folded_, extent.head_seq, folded_)) return false;
      if (!fold_page(store_.log(), options_.page_entries)) return true;
      if (folded_ - saved_ >= options_.save_entries) save();
    }
  }

  ports::LogExtent same_log(ports::LogScan& scan) const {
    ports::LogExtent extent = scan.extent();
    if (extent.epoch != extent_.epoch) {
      throw LogUnfoldable("The log was replaced by another while it was folded. Run rebuild again.");
    }
    return extent;
  }

  /// False: there is nothing left.
  bool fold_page(ports::LogScan& scan, std::size_t limit) {
    std::vector<ports::ScannedEntry> page = scan.entries(folded_, limit, /*with_effects=*/false);
    if (page.empty()) return false;
    learn_undone(page, scan);
    refold_.expect_retractions(scan.retracted(page.front().entry.seq, page.back().entry.seq));
    for (ports::ScannedEntry& scanned : page) fold(scanned);
    if (refold_.between_halves() && !fold_page(scan, 1)) unfoldable(folded_ + 1, "is missing");
    return true;
  }

  void fold(ports::ScannedEntry& scanned) {
    core::LogEntry& entry = scanned.entry;
    if (entry.seq != folded_ + 1) unfoldable(folded_ + 1, "is missing");
    if (!scanned.unreadable.empty()) unfoldable(entry.seq, "can't be read: " + scanned.unreadable);
    if (refold_.fold(entry).finding != RefoldFinding::consistent) {
      unfoldable(entry.seq, entry.retracts ? "retracts what it can't" : "isn't that of the stream that was split off");
    }
    folded_ = entry.seq;
    if (!entry.stream && !entry.retracts) return;
    unsaved_.insert(entry.stream_id);
    if (compared_) suspects_.insert(entry.stream_id);
  }

  [[noreturn]] static void unfoldable(std::uint64_t seq, const std::string& why) {
    throw LogUnfoldable("The log itself is damaged: entry " + std::to_string(seq) + " " + why +
                        ". verify names all that is wrong.");
  }

  /// What a page's retractions undo is kept when it is folded. Where it wasn't known yet that it would be undone, or an
  /// earlier run has folded it, its stream is folded again up to there.
  void learn_undone(const std::vector<ports::ScannedEntry>& page, ports::LogScan& scan) {
    Ids streams;
    std::vector<std::uint64_t> undone;
    for (const auto& [entry, state, unreadable] : page) {
      if (!entry.retracts || *entry.retracts > folded_ || refold_.knows_undone(*entry.retracts)) continue;
      undone.push_back(*entry.retracts);
      streams.insert(entry.stream_id);
    }
    if (undone.empty()) return;

    Refold past(extent_.folds_chain);
    fold_past_of(with_relatives(std::move(streams), scan), past, scan);
    for (const std::uint64_t seq : undone) {
      if (auto found = past.take_undone(seq)) refold_.keep_undone(std::move(*found));
    }
  }

  /// Folds all that the streams' entries say up to where the rebuild is.
  void fold_past_of(const std::vector<std::string>& streams, Refold& past, ports::LogScan& scan) const {
    if (extent_.pruned) {
      for (const ports::PrunedStream& left : scan.left_streams_of(streams, extent_.oldest_seq)) {
        if (auto stream = pruned_state(left)) past.begin_with(std::move(*stream));
      }
    }
    std::uint64_t after = extent_.oldest_seq - 1;
    while (after < folded_) {
      std::vector<ports::ScannedEntry> page = scan.entries_of(streams, after, options_.page_entries);
      if (page.empty()) return;
      past.expect_retractions(scan.retracted(page.front().entry.seq, page.back().entry.seq));
      for (ports::ScannedEntry& scanned : page) {
        if (scanned.entry.seq > folded_) return;
        past.fold(scanned.entry);
      }
      after = page.back().entry.seq;
    }
  }

  /// Compares everything, while writers go on: what differs, and what they change from here on, has to be looked at
  /// once more at the end.
  bool find_suspects() {
    const std::unique_ptr<ports::LogScan> snapshot = store_.snapshot();
    same_log(*snapshot);
    while (fold_page(*snapshot, options_.page_entries)) {
      if (!progress_.reached(folded_, folded_, folded_)) return false;
    }
    compare_all_streams(*snapshot, refold_.streams(),
                        [this](const std::string& id, const auto&) { suspects_.insert(id); });
    compared_ = true;
    return true;
  }

  bool finish() {
    std::unique_ptr<ports::RebuildEnd> end;
    while ((end = store_.lock_end()) == nullptr) {
      if (!progress_.reached(folded_, folded_, folded_)) return false;
    }
    same_log(end->log());
    while (fold_page(end->log(), options_.page_entries)) continue;
    end->commit(mend(end->log()));
    return true;
  }

  /// Those of the suspects whose rows differ, as they should be.
  std::vector<ports::RebuiltStream> mend(ports::LogScan& scan) {
    std::vector<std::string> ids(suspects_.begin(), suspects_.end());
    std::sort(ids.begin(), ids.end());
    std::vector<ports::RebuiltStream> mended;
    for (std::size_t first = 0; first < ids.size(); first += rows_at_once) {
      const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), first + rows_at_once));
      mend_some({begin, end}, scan, mended);
    }
    return mended;
  }

  void mend_some(const std::vector<std::string>& ids, ports::LogScan& scan, std::vector<ports::RebuiltStream>& mended) {
    const std::vector<ports::ScannedStream> rows = scan.streams_of(ids);
    std::unordered_map<std::string_view, const ports::ScannedStream*> held;
    for (const ports::ScannedStream& row : rows) held.emplace(row.id, &row);
    for (const std::string& id : ids) {
      const auto row = held.find(id);
      std::vector<FoldDifference> differences =
          compare_stream(id, row != held.end() ? row->second : nullptr, refold_.streams().find(id), scan);
      if (differences.empty()) continue;
      mended.push_back(rebuilt(id));
      ++result_.mended_count;
      if (result_.mended.size() < RebuildResult::kept_at_most) result_.mended.push_back({id, std::move(differences)});
    }
  }

  ports::RebuildStore& store_;
  ports::JobProgress& progress_;
  const RebuildOptions options_;
  const ports::LogExtent extent_;
  Refold refold_;
  std::uint64_t folded_ = 0;  ///< the last entry
  std::uint64_t saved_ = 0;   ///< as kept in the store
  Ids unsaved_;               ///< streams that changed since
  bool compared_ = false;     ///< with every row
  Ids suspects_;              ///< streams whose rows differed then, or that changed since
  RebuildResult result_;
};

}  // namespace

RebuildResult rebuild(ports::RebuildStore& store, ports::JobProgress& progress, const RebuildOptions& options) {
  if (!store.claim()) throw RebuildRunning("Another rebuild of this database is at work.");
  return Rebuild(store, progress, options).run();
}

}  // namespace fluxora::indexer
