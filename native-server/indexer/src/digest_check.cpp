#include "digest_check.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "fluxora/core/ledger_digest.hpp"

namespace fluxora::indexer {
namespace {

constexpr std::size_t page_ledgers = 10'000;

/// Entries that the chain's events made: the log's own have no part in digests.
bool is_of_the_chain(const core::LogEntry& entry) {
  switch (entry.event) {
    case core::EventName::stream_observed:
    case core::EventName::stream_cliff_reached:
    case core::EventName::stream_ended:
    case core::EventName::stream_retracted: return false;
    default: return entry.ledger.has_value();
  }
}

std::optional<std::string> hex_or_none(const std::optional<core::Hash>& hash) {
  if (!hash) return std::nullopt;
  return core::hex_encode(*hash);
}

}  // namespace

void DigestCheck::differs(std::uint64_t ledger, const char* field, std::optional<std::string> held,
                          std::optional<std::string> folded) {
  differences_.add({FoldDifference::Of::ledger, std::to_string(ledger), field, std::move(held), std::move(folded)});
}

void DigestCheck::begin_behind(const ports::PrunedPart& pruned) {
  digest_ = pruned.digest;
  last_with_entries_ = pruned.ledger;
  std::optional<ports::ScannedLedger> newest;
  for (const ports::ScannedLedger* held = next_held(); held != nullptr && held->sequence <= pruned.ledger;
       held = next_held()) {
    last_held_ = *held;
    ++next_in_page_;
    if (held->digest) newest = last_held_;
  }
  if (newest.value_or(ports::ScannedLedger{}).digest.value_or(core::Hash{}) == pruned.digest) return;
  differs(newest ? newest->sequence : pruned.ledger, "digest", newest ? hex_or_none(newest->digest) : std::nullopt,
          core::hex_encode(pruned.digest));
}

void DigestCheck::add(const core::LogEntry& entry) {
  if (!is_of_the_chain(entry)) return;
  const std::string seq = std::to_string(entry.seq);
  if (*entry.ledger < last_with_entries_) {
    differences_.add(
        {FoldDifference::Of::entry, seq, "ledger", std::to_string(*entry.ledger), std::to_string(last_with_entries_)});
    return;
  }
  if (!open_ || open_->sequence != *entry.ledger) {
    close_ledger();
    open_ = Ledger{*entry.ledger, entry.ledger_hash.value_or(core::Hash{}), {}};
    last_with_entries_ = *entry.ledger;
  }
  if (entry.ledger_hash != open_->hash) {
    differences_.add(
        {FoldDifference::Of::entry, seq, "ledger_hash", hex_or_none(entry.ledger_hash), core::hex_encode(open_->hash)});
  }
  // The event that splits a stream off makes two entries.
  if (!open_->entries.empty() && open_->entries.back().event_id == entry.event_id) return;
  open_->entries.push_back(entry);
  open_->entries.back().stream.reset();
}

void DigestCheck::close_ledger() {
  if (!open_) return;
  const Ledger ledger = std::move(*open_);
  open_.reset();
  std::vector<core::ChainRecord> records;
  records.reserve(ledger.entries.size());
  for (const core::LogEntry& entry : ledger.entries) {
    records.push_back({entry.event_id, entry.contract_id, entry.topics_xdr, entry.value_xdr});
  }
  digest_ = core::ledger_digest(digest_, ledger.sequence, ledger.hash, records);
  ++ledgers_;

  const std::optional<ports::ScannedLedger> held = held_of(ledger.sequence);
  if (!held) return differs(ledger.sequence, "sequence", std::nullopt, std::to_string(ledger.sequence));
  if (held->hash != ledger.hash) {
    differs(ledger.sequence, "hash", core::hex_encode(held->hash), core::hex_encode(ledger.hash));
  }
  if (held->digest != digest_) {
    differs(ledger.sequence, "digest", hex_or_none(held->digest), core::hex_encode(digest_));
  }
}

const ports::ScannedLedger* DigestCheck::next_held() {
  if (next_in_page_ == page_.size() && !pages_end_) {
    page_ = scan_.ledgers(last_held_ ? std::optional(last_held_->sequence) : std::nullopt, page_ledgers);
    next_in_page_ = 0;
    pages_end_ = page_.size() < page_ledgers;
  }
  return next_in_page_ < page_.size() ? &page_[next_in_page_] : nullptr;
}

std::optional<ports::ScannedLedger> DigestCheck::held_of(std::uint64_t sequence) {
  for (const ports::ScannedLedger* held = next_held(); held != nullptr && held->sequence <= sequence;
       held = next_held()) {
    last_held_ = *held;
    ++next_in_page_;
    if (last_held_->sequence == sequence) return last_held_;
    if (last_held_->digest) differs(last_held_->sequence, "digest", hex_or_none(last_held_->digest), std::nullopt);
  }
  return std::nullopt;
}

void DigestCheck::finish(const std::optional<ports::Checkpoint>& checkpoint) {
  close_ledger();
  constexpr std::uint64_t behind_all = std::numeric_limits<std::uint64_t>::max();
  held_of(behind_all);
  const std::uint32_t last = std::max(last_with_entries_, last_held_ ? last_held_->sequence : 0);
  if (last > (checkpoint ? checkpoint->ledger : 0)) {
    differences_.add({FoldDifference::Of::checkpoint, "", "ledger",
                      checkpoint ? std::optional(std::to_string(checkpoint->ledger)) : std::nullopt,
                      std::to_string(last)});
  } else if (checkpoint && last_held_ && last_held_->sequence == checkpoint->ledger &&
             last_held_->hash != checkpoint->hash) {
    differences_.add({FoldDifference::Of::checkpoint, "", "ledger_hash", core::hex_encode(checkpoint->hash),
                      core::hex_encode(last_held_->hash)});
  }
}

}  // namespace fluxora::indexer
