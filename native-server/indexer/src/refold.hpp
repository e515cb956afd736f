#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/log_fold.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/ports/log_scan.hpp"

namespace fluxora::indexer {

/// What became of an entry that was folded again.
enum class RefoldFinding : std::uint8_t {
  consistent,
  split_missing,         ///< the entry before split a stream off, and this isn't that stream's
  retracts_nothing,      ///< it names no entry that stood, or another stream's
  retracts_out_of_order  ///< a later change of the stream still stands
};

/// An entry that will be retracted, and what it found.
struct UndoneLater {
  core::LogEntry entry;                ///< without topics and value
  std::optional<core::Stream> before;  ///< none: its stream wasn't held
  std::uint64_t change_before = 0;     ///< the stream's newest change that stood then; 0: none
};

/// Folds a log's entries again in their order. What an entry makes of its stream is core's LogFold's to say; this knows
/// how a log is made of it: an entry that split a stream off is followed by that stream's own, and a retraction leaves
/// what its entry had found, which is kept from there to here. SPEC section 4.
class Refold {
 public:
  /// `folds_chain` false: entries of the chain change no stream (CONTRACT_IDS=*).
  explicit Refold(bool folds_chain) : folds_chain_(folds_chain) {}

  /// A stream as it stands before the log's oldest entry, where what was before that was pruned.
  void begin_with(core::Stream stream) { log_.put(std::move(stream)); }
  /// A stream as it stands before what is folded next: for going on in the middle of a log.
  void put(core::Stream stream);
  /// Those of the entries folded next that are retracted later, ascending; they replace what was said before.
  void expect_retractions(std::vector<std::uint64_t> seqs);
  [[nodiscard]] bool knows_undone(std::uint64_t seq) const { return undone_later_.count(seq) != 0; }
  /// What another refold has kept of an entry. Streams taken over or put make the order of retractions unknowable:
  /// it isn't looked at from then on.
  [[nodiscard]] std::optional<UndoneLater> take_undone(std::uint64_t seq);
  void keep_undone(UndoneLater undone);

  struct Outcome {
    RefoldFinding finding = RefoldFinding::consistent;
    bool stands = false;  ///< it is no retraction, and none of those expected names it
  };
  /// Sets the entry's `stream` and `change` to what folding makes of them. After a finding it goes on as well as can
  /// be.
  Outcome fold(core::LogEntry& entry);

  /// The next entry has to be that of a stream split off: the log can't be left here.
  [[nodiscard]] bool between_halves() const { return split_.has_value(); }
  [[nodiscard]] const core::LogFold& streams() const { return log_; }

 private:
  [[nodiscard]] bool is_expected(std::uint64_t seq);
  RefoldFinding fold_retraction(core::LogEntry& entry);
  /// True: the entry is that of the stream that was split off.
  bool take_split(core::LogEntry& entry);

  const bool folds_chain_;
  core::LogFold log_;
  std::optional<core::LogEntry> split_;  ///< what the last entry has split off
  std::vector<std::uint64_t> expected_;
  std::size_t next_expected_ = 0;
  std::unordered_map<std::uint64_t, UndoneLater> undone_later_;
  bool from_the_start_ = true;
  std::unordered_map<std::string, std::uint64_t> newest_change_;  ///< of each stream, that stands
};

/// How far the log goes. Throws LogUnfoldable where its first entries are gone and nothing says what they left.
[[nodiscard]] ports::LogExtent foldable_extent(ports::LogScan& scan);
/// The stream that the pruned entries left; none: none, or they weren't folded. Throws LogUnfoldable where the state
/// isn't that of this stream.
[[nodiscard]] std::optional<core::Stream> pruned_state(const ports::PrunedStream& left);
/// Gives what the entries below `oldest_seq` left of each stream, one after another, as LogScan orders them; returns
/// core::snapshot_digest over them, which ought to be PrunedPart::states.
core::Hash for_each_left_stream(ports::LogScan& scan, std::uint64_t oldest_seq,
                                const std::function<void(const ports::PrunedStream&)>& take);

}  // namespace fluxora::indexer
