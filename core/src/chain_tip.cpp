#include "fluxora/core/chain_tip.hpp"

#include <algorithm>

namespace fluxora::core {

bool links(const LedgerHeader& before, const LedgerHeader& next) noexcept {
  const bool adjacent = next.sequence - before.sequence == 1;
  return next.closed_at > before.closed_at && (!adjacent || next.previous_hash.value_or(before.hash) == before.hash);
}

std::optional<Reorg> find_reorg(const LedgerId& held, const LedgerHeader& incoming) noexcept {
  const bool same = incoming.sequence == held.sequence;
  if (!same && incoming.sequence - held.sequence != 1) return std::nullopt;
  const Hash& hash = same ? incoming.hash : incoming.previous_hash.value_or(held.hash);
  if (hash == held.hash) return std::nullopt;
  return Reorg{held.sequence, held.hash, hash};
}

bool is_other_network(std::string_view expected, std::string_view passphrase) noexcept {
  return !expected.empty() && passphrase != expected;
}

ChainTip::Plan ChainTip::plan(std::uint32_t oldest, std::uint32_t latest, std::optional<std::uint32_t> checkpoint,
                              std::optional<std::uint32_t> start, UnixMillis now) noexcept {
  latest_ = latest;
  const std::uint32_t safe = latest > safety_margin_ ? latest - safety_margin_ : 0;
  if (checkpoint && latest < *checkpoint) {
    return {was_reset(*checkpoint, now) ? Verdict::network_reset : Verdict::lagging, 0, safe};
  }
  far_below_since_.reset();

  // Wide, because there is no ledger after the last that a u32 can name.
  const std::uint64_t next = checkpoint ? std::uint64_t{*checkpoint} + 1 : start.value_or(oldest);
  if (next < oldest) return {Verdict::missing, static_cast<std::uint32_t>(next), safe};
  if (next > safe) return {Verdict::up_to_date, 0, safe};
  return {Verdict::index, static_cast<std::uint32_t>(next), safe};
}

bool ChainTip::was_reset(std::uint32_t checkpoint, UnixMillis now) noexcept {
  if (checkpoint - latest_ <= reset_distance) {
    far_below_since_.reset();
    return false;
  }
  if (!far_below_since_) far_below_since_ = now;
  return now - *far_below_since_ >= reset_after_ms;
}

void ChainTip::indexed(std::uint32_t ledger) noexcept {
  if (!reorg_ledger_ || ledger <= *reorg_ledger_ || latest_ <= *reorg_ledger_) return;
  if (latest_ - *reorg_ledger_ >= reorg_shown_ledgers) reorg_ledger_.reset();
}

std::optional<std::uint32_t> ForkSearch::next() const noexcept {
  if (unknown_begin_ == unknown_end_) return std::nullopt;
  return ours_[probe()].sequence;
}

void ForkSearch::answer(const Hash& hash) noexcept {
  if (unknown_begin_ == unknown_end_) return;
  const std::size_t at = probe();
  if (hash == ours_[at].hash) {
    unknown_end_ = at;
    step_ = 0;
  } else {
    unknown_begin_ = at + 1;
    step_ *= 2;
  }
}

std::optional<LedgerId> ForkSearch::common() const noexcept {
  if (unknown_begin_ != unknown_end_ || unknown_end_ == ours_.size()) return std::nullopt;
  return ours_[unknown_end_];
}

std::size_t ForkSearch::probe() const noexcept {
  const std::size_t last = unknown_end_ - unknown_begin_ - 1;
  return unknown_begin_ + (step_ == 0 ? last / 2 : std::min(step_ - 1, last));
}

}  // namespace fluxora::core
