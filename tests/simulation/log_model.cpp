#include "log_model.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <type_traits>
#include <utility>

#include "fluxora/core/ledger_digest.hpp"
#include "fluxora/core/reducer.hpp"

namespace fluxora::simulation {
namespace {

using core::EventName;
using core::LogEntry;
using core::Stream;
using indexer::test::MemoryLedgerStore;

template <class... Parts>
void require(bool holds, const Parts&... parts) {
  if (holds) return;
  std::string text;
  const auto add = [&](const auto& part) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(part)>>) {
      text += std::to_string(part);
    } else {
      text += part;
    }
  };
  (add(parts), ...);
  throw Difference{text};
}

/// The name of the entry that says that a stream's cliff or end was passed.
std::string time_id(EventName event, core::UnixSeconds at) {
  return (event == EventName::stream_ended ? "ended-" : "cliff_reached-") + std::to_string(at);
}

core::UnixSeconds time_of(EventName event, const Stream& stream) {
  return event == EventName::stream_ended ? stream.end_time : stream.cliff_time;
}

bool has_time(EventName event, const Stream& stream) {
  return event == EventName::stream_ended || stream.cliff_time > stream.start_time;
}

constexpr std::array<EventName, 2> times = {EventName::stream_cliff_reached, EventName::stream_ended};

std::string amount_text(core::Amount amount) {
  return std::to_string(static_cast<long long>(amount.units));
}

/// The contract's stream with what only the log knows of it.
Stream with_marks_of(Stream stream, const Stream& log) {
  stream.created_at = log.created_at;
  stream.updated_at = log.updated_at;
  stream.version = log.version;
  stream.created_seq = log.created_seq;
  stream.ledger = log.ledger;
  stream.tx_hash = log.tx_hash;
  stream.token = log.token;
  return stream;
}

/// What was closed before anybody could read its kind is linear to the log, with all that events leave to be computed.
Stream as_read_by(Stream stream, const Stream& log) {
  if (!stream.archived || log.kind != core::StreamKind::linear || stream.kind == log.kind) return stream;
  stream.kind = log.kind;
  stream.checkpoint_amount = log.checkpoint_amount;
  stream.deposit = log.deposit;
  if (stream.status == core::StreamStatus::completed) stream.withdrawn = log.withdrawn;
  return stream;
}

/// What of a stream the contract knows, to be shown.
std::string known_to_contract(const Stream& stream) {
  const std::string cancelled_at = stream.cancelled_at ? std::to_string(*stream.cancelled_at) : "never";
  return "sender " + stream.sender + ", recipient " + stream.recipient + ", deposit " + amount_text(stream.deposit) +
         ", rate " + amount_text(stream.rate_per_second) + ", withdrawn " + amount_text(stream.withdrawn) +
         ", settled " + amount_text(stream.settled) + ", times " + std::to_string(stream.start_time) + " " +
         std::to_string(stream.cliff_time) + " " + std::to_string(stream.end_time) + ", cancelled " + cancelled_at +
         ", checkpoint " + amount_text(stream.checkpoint_amount) + " at " + std::to_string(stream.checkpoint_at) +
         ", status " + std::string(core::status_name(stream.status)) + ", kind " +
         std::string(core::kind_name(stream.kind)) + (stream.archived ? ", archived" : "");
}

}  // namespace

void LogModel::written(const LogEntry& entry) {
  apply(entry, nullptr);
  if (checkpoint_ != nullptr) excuse_passed(*entry.stream, checkpoint_->header.closed_at);
}

void LogModel::committed(const ports::IngestRecord& record, const MemoryLedgerStore& store,
                         const std::vector<const Ledger*>& tips, std::uint32_t highest_shown) {
  floor_ = record.forget_above.value_or(std::numeric_limits<std::uint32_t>::max());
  if (record.forget_above) {
    forget(floor_, tips);
  } else {  // late events take back what follows them, and forget no ledger
    for (const LogEntry& entry : record.entries) {
      if (entry.retracts) floor_ = std::min(floor_, *entry.ledger - 1);
    }
  }
  hold(record);
  for (const LogEntry& entry : record.entries) apply(entry, &store);
  require(store.entries.size() == head_, "the store holds ", store.entries.size(), " entries, the log has ", head_);
  check_checkpoint(record, highest_shown);
  check_ledgers(store);
  check_stack();
  check_streams(store);
  if (fold_ && events_say_all_ && is_complete()) check_contract();
}

void LogModel::settled(const MemoryLedgerStore& store) const {
  if (fold_) check_contract();
  if (fold_ && (!may_miss_ || !events_say_all_)) check_tokens();
  using Kind = ports::DifferenceKind;
  for (const ports::Difference& difference : store.differences) {
    const bool missed =
        may_miss_ && (difference.kind == Kind::changed_without_event || difference.kind == Kind::entry_missing);
    require(missed || difference.kind == Kind::log_differs_from_contract, "the audit says ",
            std::string(ports::difference_name(difference.kind)), " of ", difference.stream_id, " at ledger ",
            difference.ledger, ": ", difference.fields);
  }
}

void LogModel::apply(const LogEntry& entry, const MemoryLedgerStore* store) {
  require(entry.seq == head_ + 1, "entry ", entry.seq, " follows ", head_);
  head_ = entry.seq;
  if (!entry.stream_id.empty()) {
    StreamHistory& history = histories_[entry.stream_id];
    require(entry.prev_seq == history.last_seq, "entry ", entry.seq, " of ", entry.stream_id, " says that ",
            entry.prev_seq.value_or(0), " came before it, and it was ", history.last_seq.value_or(0));
    history.last_seq = entry.seq;
  }
  if (entry.retracts) return retract(entry);
  if (entry.ledger) return push(entry, *store);
  take_state(entry, nullptr, false);
}

void LogModel::retract(const LogEntry& entry) {
  const auto newest = std::find_if(stack_.rbegin(), stack_.rend(),
                                   [&](const Standing& standing) { return standing.ledger->header.sequence > floor_; });
  require(newest != stack_.rend() && newest->seq == *entry.retracts, "entry ", entry.seq, " retracts ", *entry.retracts,
          ", the newest that stands above ", floor_, " is ", newest == stack_.rend() ? 0 : newest->seq);
  const Standing undone = *newest;
  stack_.erase(std::next(newest).base());
  require(entry.event == EventName::stream_retracted && entry.stream_id == undone.stream_id &&
              entry.event_id == "retracted-" + std::to_string(undone.seq) &&
              entry.ledger_hash == undone.ledger->header.hash,
          "entry ", entry.seq, " is no retraction of ", undone.seq);
  if (undone.stream_id.empty()) return;
  // Time and what couldn't be folded have changed nothing; anything else leaves what was there before it.
  std::optional<Stream> left;
  if (const auto now = streams_.find(undone.stream_id); now != streams_.end()) left = now->second;
  std::vector<Mark>& marks = histories_[undone.stream_id].marks;
  const auto mark = std::find_if(marks.begin(), marks.end(), [&](const Mark& one) { return one.seq == undone.seq; });
  if (mark != marks.end()) {
    if (!mark->of_time) left = mark == marks.begin() ? std::nullopt : std::optional(std::prev(mark)->after);
    marks.erase(mark);
  }
  if (left) left->version = entry.seq;
  require(entry.stream == left, "retraction ", entry.seq, " of ", undone.seq, " leaves its stream as it never was");
  if (left) {
    streams_[entry.stream_id] = *left;
  } else {
    streams_.erase(entry.stream_id);
  }
}

void LogModel::push(const LogEntry& entry, const MemoryLedgerStore& store) {
  const Ledger* ledger = chain_.find(*entry.ledger_hash);
  require(ledger != nullptr && ledger->header.sequence == entry.ledger, "entry ", entry.seq, " is of no ledger");
  require(ledger->network == our_network, "entry ", entry.seq, " is of another network");
  Origin origin = Origin::chain;
  if (is_of_time(entry.event)) {
    origin = Origin::time;
    check_time_entry(entry, ledger, store);
  } else if (entry.event == EventName::stream_observed) {
    origin = Origin::observation;
  } else {
    require(entry.closed_at == ledger->header.closed_at, "entry ", entry.seq, " closed at another time");
    const auto before = streams_.find(entry.stream_id);
    if (entry.stream && before != streams_.end()) {
      check_nothing_missed(histories_[entry.stream_id], before->second, ledger, /*behind_events=*/false);
    }
  }
  stack_.push_back({entry.seq, ledger, origin, entry.event, entry.event_id, entry.stream_id, entry.stream.has_value()});
  take_state(entry, ledger, origin == Origin::time);
}

void LogModel::take_state(const LogEntry& entry, const Ledger* ledger, bool of_time) {
  if (!entry.stream) return;
  require(entry.stream->version == entry.seq && entry.stream->id == entry.stream_id, "the stream of entry ", entry.seq,
          " is another's");
  streams_[entry.stream_id] = *entry.stream;
  histories_[entry.stream_id].marks.push_back({entry.seq, ledger, of_time, entry.event_id, *entry.stream});
}

void LogModel::check_time_entry(const LogEntry& entry, const Ledger* ledger, const MemoryLedgerStore& store) {
  require(fold_, "entry ", entry.seq, " of time, where nothing is folded");
  const auto found = streams_.find(entry.stream_id);
  require(found != streams_.end(), "entry ", entry.seq, " of time is of no stream");
  const Stream& stream = found->second;
  const core::UnixSeconds at = time_of(entry.event, stream);
  require(has_time(entry.event, stream) && entry.event_id == time_id(entry.event, at), "entry ", entry.seq,
          " of time is of ", entry.event_id, ", the stream has ", at);
  require(!core::is_final(stream.status), "entry ", entry.seq, " of time is of a stream that has ended");
  require(at <= ledger->header.closed_at, "entry ", entry.seq, " of time is too early");

  // Since when the stream has had that time, and whether it was passed since.
  bool set_here = false;
  const std::vector<Mark>& marks = histories_[entry.stream_id].marks;
  for (const Mark& mark : marks) {
    require(mark.event_id != entry.event_id || mark.ledger != ledger, "entry ", entry.seq, " of time, ", entry.event_id,
            ", stands twice for ledger ", ledger->header.sequence);
  }
  for (auto mark = marks.rbegin(); mark != marks.rend(); ++mark) {
    if (time_of(entry.event, mark->after) != at) break;
    require(mark->event_id != entry.event_id, "entry ", entry.seq, " of time, ", entry.event_id, ", was passed by ",
            mark->seq);
    set_here = mark->ledger == ledger && !mark->of_time;
  }
  if (set_here) return;
  const bool behind_event = !stack_.empty() && stack_.back().ledger == ledger && stack_.back().origin != Origin::time;
  require(!behind_event, "entry ", entry.seq, " of time stands behind its ledger's events");
  auto before = store.ledgers.lower_bound(ledger->header.sequence);
  if (before == store.ledgers.begin()) return;
  --before;
  require(before->second.header.closed_at < at, "entry ", entry.seq, " of time is late: ledger ", before->first,
          " closed at ", before->second.header.closed_at);
}

/// That the cliff and the end have an entry where `ledger` closes behind them. `behind_events` false: its own events
/// aren't all there yet, and what they moved is passed behind them.
void LogModel::check_nothing_missed(const StreamHistory& history, const Stream& stream, const Ledger* ledger,
                                    bool behind_events) {
  if (core::is_final(stream.status)) return;
  for (const EventName event : times) {
    const core::UnixSeconds at = time_of(event, stream);
    if (!has_time(event, stream) || at > ledger->header.closed_at) continue;
    if (at == (event == EventName::stream_ended ? history.end_excused : history.cliff_excused)) continue;
    const std::string id = time_id(event, at);
    bool passed = false;
    const Ledger* set_in = nullptr;
    for (auto mark = history.marks.rbegin(); mark != history.marks.rend(); ++mark) {
      if (mark->event_id == id) passed = true;
      if (time_of(event, mark->after) != at) break;
      set_in = mark->ledger;
    }
    // A ledger that moves the time away and back has passed it once.
    for (const Mark& mark : history.marks) passed = passed || (mark.event_id == id && mark.ledger == set_in);
    if (passed || (!behind_events && set_in == ledger)) continue;
    throw Difference{"ledger " + std::to_string(ledger->header.sequence) + " passed " + id + " of " + stream.id +
                     ", and no entry says so"};
  }
}

void LogModel::excuse_passed(const Stream& stream, core::UnixSeconds closed_at) {
  StreamHistory& history = histories_[stream.id];
  if (stream.cliff_time <= closed_at) history.cliff_excused = stream.cliff_time;
  if (stream.end_time <= closed_at) history.end_excused = stream.end_time;
}

void LogModel::forget(std::uint32_t floor, const std::vector<const Ledger*>& tips) {
  for (auto above = held_.upper_bound(floor); above != held_.end(); above = held_.erase(above)) {
    const bool left =
        std::any_of(tips.begin(), tips.end(), [&](const Ledger* tip) { return !is_on_chain(tip, above->second); });
    require(left, "ledger ", above->first, " was rolled back, and the chain has it");
  }
}

void LogModel::hold(const ports::IngestRecord& record) {
  if (record.ledgers.empty()) return;
  if (checkpoint_ == nullptr) {
    // Nobody saw times pass before the first ledger's close.
    for (const auto& [id, stream] : streams_) excuse_passed(stream, record.ledgers.front().header.closed_at);
    first_ = record.ledgers.front().header.sequence;
    digests_.clear();
  }
  for (const ports::LedgerRecord& ledger : record.ledgers) {
    const Ledger* known = chain_.find(ledger.header.hash);
    require(known != nullptr && known->header.sequence == ledger.header.sequence &&
                known->header.closed_at == ledger.header.closed_at,
            "ledger ", ledger.header.sequence, " isn't the chain's");
    held_[ledger.header.sequence] = known;
  }
}

void LogModel::check_checkpoint(const ports::IngestRecord& record, std::uint32_t highest_shown) {
  checkpoint_ = nullptr;
  if (!record.checkpoint) return;
  checkpoint_ = chain_.find(record.checkpoint->hash);
  require(checkpoint_ != nullptr && checkpoint_->header.sequence == record.checkpoint->ledger &&
              checkpoint_->header.closed_at == record.checkpoint->closed_at,
          "the checkpoint, ", record.checkpoint->ledger, ", is no ledger of the chain");
  require(checkpoint_->network == our_network, "the checkpoint is another network's");
  require(record.checkpoint->ledger + safety_margin_ <= highest_shown, "ledger ", record.checkpoint->ledger,
          " wasn't safe yet");
}

void LogModel::check_ledgers(const MemoryLedgerStore& store) {
  require(store.ledgers.size() == held_.size(), "the store holds ", store.ledgers.size(),
          " ledgers, and committed were ", held_.size());
  if (checkpoint_ == nullptr) return require(held_.empty(), "ledgers are held behind no checkpoint");
  require(!held_.empty() && held_.rbegin()->second == checkpoint_, "the checkpoint isn't the last ledger held");
  for (const Ledger* ledger : path()) {
    const auto row = store.ledgers.find(ledger->header.sequence);
    const bool has_events = !happenings(ledger).empty();
    if (row == store.ledgers.end()) {
      require(!has_events, "ledger ", ledger->header.sequence, " has events and isn't held");
      continue;
    }
    require(row->second.header.hash == ledger->header.hash, "ledger ", ledger->header.sequence, " is of another chain");
    require(row->second.digest.has_value() == has_events, "the digest of ledger ", ledger->header.sequence);
    if (has_events) require(*row->second.digest == digest(ledger), "the digest of ledger ", row->first, " is wrong");
  }
}

void LogModel::check_stack() {
  const std::vector<const Ledger*> ledgers = path();
  std::vector<const Standing*> events;
  for (const Standing& entry : stack_) {
    const std::size_t at = entry.ledger->header.sequence - first_;
    require(at < ledgers.size() && ledgers[at] == entry.ledger, "entry ", entry.seq, " of ledger ",
            entry.ledger->header.sequence, " stands, and the chain has no such ledger");
    if (entry.origin == Origin::chain) events.push_back(&entry);
  }
  auto next = events.begin();
  const auto expect = [&](const Ledger* ledger, const Happening& happening, EventName name,
                          const std::string& stream_id, bool folds) {
    require(next != events.end(), "event ", happening.event.event_id, " isn't in the log");
    const Standing& entry = **next++;
    require(entry.ledger == ledger && entry.event_id == happening.event.event_id && entry.stream_id == stream_id,
            "entry ", entry.seq, " is of ", entry.event_id, " of ", entry.stream_id, ", next is ",
            happening.event.event_id, " of ", stream_id, " in ledger ", ledger->header.sequence);
    require(entry.event == name, "entry ", entry.seq, " is named ", std::string(core::event_name_text(entry.event)));
    require(entry.folded == (fold_ && folds), "entry ", entry.seq, entry.folded ? " was" : " wasn't", " folded");
  };
  for (const Ledger* ledger : ledgers) {
    for (const Happening* happening : happenings(ledger)) {
      expect(ledger, *happening, happening->name, happening->stream_id, happening->folds);
      if (fold_ && !happening->child_id.empty()) {
        expect(ledger, *happening, EventName::stream_created, happening->child_id, true);
      }
    }
  }
  require(next == events.end(), "entry ", next == events.end() ? 0 : (*next)->seq,
          " stands, and the chain has no such event");
}

void LogModel::check_streams(const MemoryLedgerStore& store) {
  require(store.streams.size() == streams_.size(), "the store holds ", store.streams.size(),
          " streams, a reader of the log ", streams_.size());
  for (const auto& [id, stream] : streams_) {
    const auto held = store.streams.find(id);
    require(held != store.streams.end() && held->second == stream, "the store's ", id, " isn't a reader's");
    check_marks(stream);
    if (fold_ && checkpoint_ != nullptr) {
      check_nothing_missed(histories_[id], stream, checkpoint_, /*behind_events=*/true);
    }
  }
}

/// The log's own marks on a stream: of the first and the last entry that changed it.
void LogModel::check_marks(const Stream& stream) {
  const std::vector<Mark>& marks = histories_[stream.id].marks;
  const auto changes = [](const Mark& mark) { return !mark.of_time; };
  const auto first = std::find_if(marks.begin(), marks.end(), changes);
  const auto last = std::find_if(marks.rbegin(), marks.rend(), changes);
  require(first != marks.end(), stream.id, " is held, and no entry that stands made it");
  require(stream.created_seq == first->seq, stream.id, " was made by ", first->seq, ", not ", stream.created_seq);
  require(stream.updated_at == last->after.updated_at && stream.ledger == last->after.ledger &&
              stream.tx_hash == last->after.tx_hash && stream.created_at == first->after.created_at,
          stream.id, " has other times than the entries that stand");
}

void LogModel::check_contract() const {
  const std::map<std::string, Stream> none;
  const std::map<std::string, Stream>& contract = checkpoint_ == nullptr ? none : checkpoint_->state.streams;
  std::size_t of_chain = 0;
  for (const auto& [id, stream] : streams_) {
    if (stream.source != core::StreamSource::chain) continue;
    ++of_chain;
    const auto held = contract.find(id);
    require(held != contract.end(), id, " is held, and the contract doesn't have it");
    if (stream == as_read_by(with_marks_of(held->second, stream), stream)) continue;
    throw Difference{id + ": the log says " + known_to_contract(stream) + "; the contract says " +
                     known_to_contract(held->second)};
  }
  require(of_chain == contract.size(), "the contract has ", contract.size(), " streams, the log ", of_chain);
}

void LogModel::check_tokens() const {
  for (const auto& [id, stream] : streams_) {
    if (stream.source != core::StreamSource::chain) continue;
    require(stream.token == token(), "the token of ", id, stream.archived ? ", which is closed," : "", " is ",
            stream.token.value_or("unknown"));
  }
}

bool LogModel::is_complete() const {
  for (const Ledger* ledger : path()) {
    for (const Happening& happening : ledger->happenings) {
      if (happening.missed) return false;
    }
  }
  return true;
}

std::vector<const Happening*> LogModel::happenings(const Ledger* ledger) const {
  std::vector<const Happening*> followed;
  for (const Happening& happening : ledger->happenings) {
    if (happening.missed) continue;
    if (!fold_ || happening.event.contract_id != other_contract()) followed.push_back(&happening);
  }
  return followed;
}

core::Hash LogModel::digest(const Ledger* ledger) {
  if (const auto known = digests_.find(ledger); known != digests_.end()) return known->second;
  core::Hash before{};
  if (ledger->header.sequence > first_) before = digest(ledger->parent);
  std::vector<core::ChainRecord> records;
  for (const Happening* happening : happenings(ledger)) {
    const ports::ChainEvent& event = happening->event;
    records.push_back({event.event_id, event.contract_id, event.topics_xdr, event.value_xdr});
  }
  if (!records.empty()) before = core::ledger_digest(before, ledger->header.sequence, ledger->header.hash, records);
  return digests_.emplace(ledger, before).first->second;
}

std::vector<const Ledger*> LogModel::path() const {
  std::vector<const Ledger*> ledgers;
  for (const Ledger* at = checkpoint_; at != nullptr && at->header.sequence >= first_; at = at->parent) {
    ledgers.push_back(at);
  }
  std::reverse(ledgers.begin(), ledgers.end());
  return ledgers;
}

}  // namespace fluxora::simulation
