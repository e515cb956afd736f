#include "fluxora/indexer/take_events.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/indexer/ingest.hpp"
#include "log_change.hpp"

namespace fluxora::indexer {
namespace {

ports::SentEvent event_of(const core::LogEntry& entry) {
  ports::SentEvent sent;
  sent.event = {entry.event_id, entry.contract_id,        entry.ledger.value_or(0), entry.closed_at,
                *entry.tx_hash, entry.in_successful_call, entry.topics_xdr,         entry.value_xdr};
  sent.ledger_hash = entry.ledger_hash.value_or(core::Hash{});
  return sent;
}

/// Of events of one ledger, whose close time is looked at for itself.
bool are_equal(const ports::ChainEvent& a, const ports::ChainEvent& b) {
  return a.event_id == b.event_id && a.contract_id == b.contract_id && a.tx_hash == b.tx_hash &&
         a.in_successful_call == b.in_successful_call && a.topics_xdr == b.topics_xdr && a.value_xdr == b.value_xdr;
}

bool by_id(const ports::SentEvent& a, const ports::SentEvent& b) {
  return a.event.event_id < b.event.event_id;
}

/// One batch on its way into the log.
class Taking {
 public:
  Taking(const std::vector<ports::SentEvent>& batch, bool fold, ports::IngestTransaction& transaction)
      : batch_(batch), fold_(fold), transaction_(transaction), checkpoint_(transaction.checkpoint()) {}

  tl::expected<TakenEvents, ports::IntakeRefusal> run(ports::AuditRecord by) {
    sort_batch();
    for (const ports::LedgerHeader& header : transaction_.ledgers_around(ledger_numbers())) {
      held_.emplace(header.sequence, header);
    }
    find_fork();
    if (has_pruned_ledger()) return refused_pruned();
    find_duplicates();
    check_times();
    if (!problems_.empty()) return refused_contradiction();
    taken_.checkpoint = checkpoint_;
    if (new_.empty()) {
      taken_.receipt.log_end = transaction_.log_end();
      return std::move(taken_);
    }
    const std::optional<std::uint32_t> undo_from = first_to_undo();
    if (undo_from && transaction_.count_above(*undo_from - 1, max_taken_back + 1) > max_taken_back) {
      return refused_too_deep(*undo_from);
    }
    write(undo_from, std::move(by));
    return std::move(taken_);
  }

 private:
  using Ledgers = std::map<std::uint32_t, ports::LedgerHeader>;

  /// Ascending by id, each once.
  void sort_batch() {
    for (std::size_t i = 0; i < batch_.size(); ++i) order_.push_back(i);
    std::stable_sort(order_.begin(), order_.end(),
                     [this](std::size_t a, std::size_t b) { return by_id(batch_[a], batch_[b]); });
    const auto again = [this](std::size_t a, std::size_t b) {
      return batch_[a].event.event_id == batch_[b].event.event_id;
    };
    for (std::size_t i = 1; i < order_.size(); ++i) {
      if (again(order_[i - 1], order_[i])) taken_.receipt.duplicate_ids.push_back(batch_[order_[i]].event.event_id);
    }
    order_.erase(std::unique(order_.begin(), order_.end(), again), order_.end());
    for (const std::size_t i : order_) sent_.try_emplace(batch_[i].event.ledger, header_of(batch_[i]));
  }

  static ports::LedgerHeader header_of(const ports::SentEvent& sent) {
    return {sent.event.ledger, sent.ledger_hash, std::nullopt, sent.event.closed_at};
  }

  [[nodiscard]] std::vector<std::uint32_t> ledger_numbers() const {
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, header] : sent_) numbers.push_back(number);
    return numbers;
  }

  /// The first ledger that the batch knows by another hash than we: what is held from it on isn't the chain's.
  void find_fork() {
    for (const auto& [number, header] : sent_) {
      const auto ours = held_.find(number);
      if (ours == held_.end() || ours->second.hash == header.hash) continue;
      taken_.reorg = core::Reorg{number, ours->second.hash, header.hash};
      held_.erase(ours, held_.end());
      return;
    }
  }

  [[nodiscard]] bool has_pruned_ledger() const {
    return !sent_.empty() && sent_.begin()->first <= transaction_.pruned_ledger();
  }

  /// Whether a ledger is held, on the branch that the batch is of.
  [[nodiscard]] const ports::LedgerHeader* held(std::uint32_t number) const {
    const auto found = held_.find(number);
    return found == held_.end() ? nullptr : &found->second;
  }

  void find_duplicates() {
    std::map<std::string, ports::SentEvent> standing;
    std::uint32_t read = 0;
    for (const std::size_t i : order_) {
      const ports::ChainEvent& event = batch_[i].event;
      if (event.ledger != read) {
        read = event.ledger;
        standing.clear();
        if (held(read) != nullptr) read_standing(read, standing);
      }
      const auto found = standing.find(event.event_id);
      if (found == standing.end()) {
        new_.push_back(i);
        taken_.receipt.inserted_ids.push_back(event.event_id);
      } else if (are_equal(found->second.event, event)) {
        taken_.receipt.duplicate_ids.push_back(event.event_id);
      } else {
        add_problem(i, "eventId", "is in the log already, as another event.");
      }
    }
    std::sort(taken_.receipt.duplicate_ids.begin(), taken_.receipt.duplicate_ids.end());
  }

  void read_standing(std::uint32_t ledger, std::map<std::string, ports::SentEvent>& standing) {
    const std::vector<core::LogEntry> entries = transaction_.standing_events(ledger, ledger);
    for (const core::LogEntry& entry : entries) standing.emplace(entry.event_id, event_of(entry));
    if (checkpoint_ && ledger == checkpoint_->ledger && !entries.empty()) last_held_id_ = entries.back().event_id;
  }

  /// Close times increase from ledger to ledger, over those that are held too.
  void check_times() {
    for (const std::size_t i : order_) {
      const ports::ChainEvent& event = batch_[i].event;
      if (&event != &first_event_of(event.ledger)) continue;
      const auto next = held_.upper_bound(event.ledger);
      if (next != held_.end()) check_time(i, event.closed_at < next->second.closed_at, next->second);
      auto here = held_.lower_bound(event.ledger);
      if (here != held_.end() && here->first == event.ledger) {
        check_time(i, event.closed_at == here->second.closed_at, here->second);
      }
      if (here == held_.begin()) continue;
      --here;
      check_time(i, here->second.closed_at < event.closed_at, here->second);
    }
  }

  [[nodiscard]] const ports::ChainEvent& first_event_of(std::uint32_t ledger) const {
    const auto found =
        std::find_if(order_.begin(), order_.end(), [&](std::size_t i) { return batch_[i].event.ledger == ledger; });
    return batch_[*found].event;
  }

  void check_time(std::size_t i, bool fits, const ports::LedgerHeader& with) {
    if (fits) return;
    add_problem(i, "happenedAt",
                "doesn't fit ledger " + std::to_string(with.sequence) + ", which is held and closed at " +
                    core::format_rfc3339(with.closed_at) + ": times increase from ledger to ledger.");
  }

  void add_problem(std::size_t event, std::string field, std::string message) {
    problems_.push_back({event, std::move(field), std::move(message)});
  }

  /// The ledger from which on entries are taken back; none where all that is new goes behind what is held.
  [[nodiscard]] std::optional<std::uint32_t> first_to_undo() const {
    const ports::ChainEvent& first = batch_[new_.front()].event;
    if (taken_.reorg) return std::min(first.ledger, taken_.reorg->ledger);
    if (!checkpoint_ || first.ledger > checkpoint_->ledger) return std::nullopt;
    if (first.ledger < checkpoint_->ledger || first.event_id < last_held_id_) return first.ledger;
    // What was observed in that ledger has the new events in it.
    const std::vector<core::LogEntry> entries = transaction_.entries_above(first.ledger - 1);
    const bool observed = std::any_of(entries.begin(), entries.end(), [](const core::LogEntry& entry) {
      return entry.event == core::EventName::stream_observed;
    });
    return observed ? std::optional(first.ledger) : std::nullopt;
  }

  void write(const std::optional<std::uint32_t>& undo_from, ports::AuditRecord by) {
    LogChange change(fold_, transaction_);
    if (undo_from) taken_.retracted = change.undo_above(*undo_from - 1);
    if (taken_.reorg) change.forget_above(taken_.reorg->ledger - 1);
    const LedgerBatch batch = make_batch(undo_from);
    change.append(batch);
    want_observations(change);

    const ports::LedgerHeader& last = batch.headers.back();
    taken_.checkpoint = ports::Checkpoint{last.sequence, last.hash, last.closed_at};
    taken_.receipt.log_end = {transaction_.log_end().epoch, change.builder().entries().back().seq};
    by.detail = detail();
    change.commit(taken_.checkpoint, std::move(by));
  }

  /// What was read of a stream may have been refused because an event was missing. At most one stream an event.
  void want_observations(LogChange& change) const {
    const bool is_late = taken_.reorg || (checkpoint_ && batch_[new_.front()].event.ledger <= checkpoint_->ledger);
    if (!fold_ || !is_late) return;
    for (const std::size_t i : new_) {
      const ports::ChainEvent& event = batch_[i].event;
      if (!event.in_successful_call) continue;
      const core::DecodedEvent decoded = core::decode_contract_event_xdr(event.topics_xdr, event.value_xdr);
      if (!decoded.stream_number) continue;
      change.want_observation(core::chain_stream_id(event.contract_id, *decoded.stream_number), event.ledger);
    }
  }

  /// The new events and those that have to be told again with them: of the ledgers that were taken back, and of a last
  /// ledger that gets more.
  LedgerBatch make_batch(const std::optional<std::uint32_t>& undo_from) {
    std::vector<ports::SentEvent> events;
    Ledgers headers;
    const std::uint32_t from = undo_from.value_or(batch_[new_.front()].event.ledger);
    const std::uint32_t through = taken_.reorg ? taken_.reorg->ledger - 1 : checkpoint_ ? checkpoint_->ledger : 0;
    if (from <= through) {
      for (const core::LogEntry& entry : transaction_.standing_events(from, through)) {
        events.push_back(event_of(entry));
      }
      // Those without events too: what passed a time is the first ledger held behind it.
      for (const ports::LedgerHeader& header : transaction_.held_ledgers(from, through)) {
        headers.emplace(header.sequence, header);
      }
    }
    const auto held_end = static_cast<std::ptrdiff_t>(events.size());
    for (const std::size_t i : new_) events.push_back(batch_[i]);
    std::inplace_merge(events.begin(), events.begin() + held_end, events.end(), by_id);

    LedgerBatch batch;
    for (ports::SentEvent& sent : events) {
      headers.try_emplace(sent.event.ledger, header_of(sent));
      batch.events.push_back(std::move(sent.event));
    }
    if (checkpoint_ && !taken_.reorg) {
      headers.try_emplace(checkpoint_->ledger, ports::LedgerHeader{checkpoint_->ledger, checkpoint_->hash, std::nullopt,
                                                                   checkpoint_->closed_at});
    }
    // The checkpoint's ledger passes no time again, unless its entries were taken back.
    if (!undo_from) headers.erase(headers.begin(), headers.lower_bound(from));
    for (const auto& [number, header] : headers) batch.headers.push_back(header);
    batch.first = batch.headers.front().sequence;
    batch.last = batch.headers.back().sequence;
    batch.closed_before = closed_before(undo_from);
    return batch;
  }

  [[nodiscard]] std::optional<core::UnixSeconds> closed_before(const std::optional<std::uint32_t>& undo_from) {
    if (!undo_from) return checkpoint_ ? std::optional(checkpoint_->closed_at) : std::nullopt;
    std::optional<core::UnixSeconds> closed_at;
    for (const ports::LedgerHeader& header : transaction_.ledgers_around({*undo_from})) {
      if (header.sequence < *undo_from) closed_at = header.closed_at;
    }
    return closed_at;
  }

  [[nodiscard]] std::string detail() const {
    std::string text;
    core::JsonWriter json(text);
    json.begin_object();
    json.key("seq").unsigned_integer(taken_.receipt.log_end.seq);
    json.key("insertedCount").unsigned_integer(taken_.receipt.inserted_ids.size());
    json.key("duplicateCount").unsigned_integer(taken_.receipt.duplicate_ids.size());
    json.key("retracted").unsigned_integer(taken_.retracted);
    json.end_object();
    return text;
  }

  tl::expected<TakenEvents, ports::IntakeRefusal> refused_contradiction() {
    return tl::unexpected(ports::IntakeRefusal{ports::IntakeRefusal::Reason::contradiction,
                                               "The batch contradicts the log.", std::move(problems_)});
  }

  [[nodiscard]] tl::expected<TakenEvents, ports::IntakeRefusal> refused_pruned() const {
    return tl::unexpected(
        ports::IntakeRefusal{ports::IntakeRefusal::Reason::too_deep,
                             "The batch has events of ledger " + std::to_string(sent_.begin()->first) +
                                 ", and entries up to ledger " + std::to_string(transaction_.pruned_ledger()) +
                                 " were pruned: nobody can tell whether they were among these. If "
                                 "they are missing, read the chain again into"
                                 " a new epoch, with fluxora-server replay.",
                             {}});
  }

  static tl::expected<TakenEvents, ports::IntakeRefusal> refused_too_deep(std::uint32_t ledger) {
    return tl::unexpected(ports::IntakeRefusal{
        ports::IntakeRefusal::Reason::too_deep,
        "The batch would take back more than " + std::to_string(max_taken_back) + " entries or ledgers, from ledger " +
            std::to_string(ledger) + " on: read the chain again into a new epoch, with fluxora-server replay.",
        {}});
  }

  const std::vector<ports::SentEvent>& batch_;
  const bool fold_;
  ports::IngestTransaction& transaction_;
  const std::optional<ports::Checkpoint> checkpoint_;

  std::vector<std::size_t> order_;  // of the batch: by id, each once
  std::vector<std::size_t> new_;    // those of them that the log doesn't have
  Ledgers sent_;                    // the batch's
  Ledgers held_;                    // of the log: those, and their neighbours; up to the fork
  std::string last_held_id_;        // the newest event of the checkpoint's ledger, where the batch has any of it
  std::vector<ports::IntakeProblem> problems_;
  TakenEvents taken_;
};

}  // namespace

tl::expected<TakenEvents, ports::IntakeRefusal> take_events(const std::vector<ports::SentEvent>& batch, bool fold,
                                                            ports::AuditRecord by,
                                                            ports::IngestTransaction& transaction) {
  return Taking(batch, fold, transaction).run(std::move(by));
}

}  // namespace fluxora::indexer
