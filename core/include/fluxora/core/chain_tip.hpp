#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/unix_time.hpp"

/// What a chain's tip means for who follows it: index on, wait, or notice that the past has changed. SPEC section 9.
/// Decisions only: who reads the chain and the store passes in what they say, and the time.
namespace fluxora::core {

/// Ledgers below the tip that are left alone, unless another number is wanted.
inline constexpr std::uint32_t default_safety_margin = 1;
/// A tip that stays further below our checkpoint than this, for so long, is another chain's, not a slow server's.
inline constexpr std::uint32_t reset_distance = 64;
inline constexpr UnixMillis reset_after_ms = 300'000;
/// A reorg is shown until the tip is so many ledgers past it.
inline constexpr std::uint32_t reorg_shown_ledgers = 5;

struct LedgerId {
  std::uint32_t sequence = 0;
  Hash hash{};

  friend bool operator==(const LedgerId&, const LedgerId&) = default;
};

struct LedgerHeader {
  std::uint32_t sequence = 0;
  Hash hash{};
  std::optional<Hash> previous_hash;  ///< none where nobody has said it
  UnixSeconds closed_at = 0;
};

/// Whether `next` can come after `before` on one chain: close times increase and, of adjacent ledgers, the later names
/// the earlier, where it is known which one it names. That their sequences increase is the caller's to know.
[[nodiscard]] bool links(const LedgerHeader& before, const LedgerHeader& next) noexcept;

/// The chain no longer has a ledger that we hold.
struct Reorg {
  std::uint32_t ledger = 0;
  Hash existing_hash{};  ///< the one we hold
  Hash incoming_hash{};  ///< the chain's

  friend bool operator==(const Reorg&, const Reorg&) = default;
};

/// What `incoming` says about a ledger that we hold: it is that ledger with another hash, or follows another one. None
/// also where it is neither that ledger nor the next, or follows nobody knows which: then it says nothing about it.
[[nodiscard]] std::optional<Reorg> find_reorg(const LedgerId& held, const LedgerHeader& incoming) noexcept;

/// Whether a network isn't the one that we follow, by their passphrases; an empty `expected` takes any.
[[nodiscard]] bool is_other_network(std::string_view expected, std::string_view passphrase) noexcept;

/// What is to be done about the tip, round by round.
class ChainTip {
 public:
  explicit ChainTip(std::uint32_t safety_margin = default_safety_margin) noexcept : safety_margin_(safety_margin) {}

  enum class Verdict : std::uint8_t {
    index,          ///< the ledgers next..safe
    up_to_date,     ///< the next one isn't safe yet
    lagging,        ///< the tip is below our checkpoint: another server's, wait
    network_reset,  ///< it has been far below for long: stop, nothing may change
    missing,        ///< the next one isn't held any more: stop, indexing on would leave a hole
  };
  struct Plan {
    Verdict verdict = Verdict::up_to_date;
    std::uint32_t next = 0;  ///< for index and missing
    std::uint32_t safe = 0;  ///< the last ledger that may be indexed: SPEC's lastSafeLedger
  };

  /// The chain holds the ledgers oldest..latest at `now`; we have indexed up to `checkpoint`, or begin at `start`, or
  /// at the oldest.
  [[nodiscard]] Plan plan(std::uint32_t oldest, std::uint32_t latest, std::optional<std::uint32_t> checkpoint,
                          std::optional<std::uint32_t> start, UnixMillis now) noexcept;

  /// A reorg was found.
  void reorganised(const Reorg& reorg) noexcept { reorg_ledger_ = reorg.ledger; }
  /// All up to `ledger` is indexed, of the chain that the last plan was made for.
  void indexed(std::uint32_t ledger) noexcept;
  /// From a reorg on until we have indexed past its ledger and the tip is `reorg_shown_ledgers` past it.
  [[nodiscard]] bool reorg_detected() const noexcept { return reorg_ledger_.has_value(); }

 private:
  /// Whether a tip below the checkpoint has been far below it for long.
  [[nodiscard]] bool was_reset(std::uint32_t checkpoint, UnixMillis now) noexcept;

  std::uint32_t safety_margin_;
  std::uint32_t latest_ = 0;
  std::optional<UnixMillis> far_below_since_;
  std::optional<std::uint32_t> reorg_ledger_;
};

/// Finds where a chain left ours: the highest ledger that both have. Chains that differ at a ledger differ at every
/// later one, so it looks back in growing steps and then halves: at most 2 log2(n) + 2 of n ledgers are read.
/// A chain that changes meanwhile may give a ledger that is too high; the next one then doesn't link to it.
class ForkSearch {
 public:
  /// `ours`: what we hold, newest first, gaps between them allowed.
  explicit ForkSearch(std::vector<LedgerId> ours) noexcept : ours_(std::move(ours)), unknown_end_(ours_.size()) {}

  /// The ledger whose hash on the chain is wanted next; none when the search has ended.
  [[nodiscard]] std::optional<std::uint32_t> next() const noexcept;
  /// The chain's hash of that ledger. Nothing to be said after the end.
  void answer(const Hash& hash) noexcept;
  /// After the end: the highest ledger that both have; none: they part below all that we hold.
  [[nodiscard]] std::optional<LedgerId> common() const noexcept;

 private:
  [[nodiscard]] std::size_t probe() const noexcept;

  std::vector<LedgerId> ours_;
  // Before the first the chains differ, from the second on they don't; between them it is unknown.
  std::size_t unknown_begin_ = 0;
  std::size_t unknown_end_;
  std::size_t step_ = 1;  // 0: the search halves
};

}  // namespace fluxora::core
