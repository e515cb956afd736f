#include "fluxora/core/reducer.hpp"

#include <algorithm>

#include "fluxora/core/accrual.hpp"

namespace fluxora::core {
namespace {

/// Applies one payload to a stream that is held. Each overload is a row of SPEC section 3's table; false: an amount
/// would overflow.
class Effects {
 public:
  Effects(Stream& stream, std::optional<Stream>& child, const EventPlace& place)
      : stream_(stream), child_(child), place_(place) {}

  bool operator()(const StreamWithdrew& withdrew) { return increase(stream_.withdrawn, withdrew.amount); }

  bool operator()(const StreamPaused&) { return move_to(StreamStatus::paused); }
  bool operator()(const StreamResumed&) { return move_to(StreamStatus::active); }

  bool operator()(const StreamCancelled&) { return cancel(); }
  bool operator()(const KeeperCancelled& cancelled) {
    return increase(stream_.settled, cancelled.recipient_amount) && cancel();
  }

  bool operator()(const StreamCompleted&) {
    if (is_final(stream_.status)) return true;
    stream_.status = StreamStatus::completed;
    // Not withdrawn += amount: a delegated withdrawal's event is net of the relayer's fee.
    stream_.withdrawn = stream_.deposit;
    return true;
  }

  bool operator()(const StreamClosed&) {
    stream_.archived = true;
    return true;
  }

  bool operator()(const RateUpdated& updated) {
    checkpoint(streamed_at(stream_, updated.effective_time), updated.effective_time);
    stream_.rate_per_second = updated.new_rate;
    return true;
  }

  bool operator()(const RateDecreased& decreased) {
    checkpoint(decreased.checkpointed, decreased.effective_time);
    stream_.rate_per_second = decreased.new_rate;
    return decrease(stream_.deposit, decreased.refund);
  }

  bool operator()(const EndShortened& shortened) {
    stream_.end_time = shortened.new_end;
    return decrease(stream_.deposit, shortened.refund);
  }

  bool operator()(const EndExtended& extended) {
    stream_.end_time = extended.new_end;
    return true;
  }

  bool operator()(const ToppedUp& topped_up) {
    stream_.deposit = topped_up.new_deposit;
    stream_.end_time = topped_up.new_end;
    return true;
  }

  bool operator()(const RecipientUpdated& updated) {
    stream_.recipient = updated.new_recipient;
    return true;
  }

  bool operator()(const SenderTransferred& transferred) {
    stream_.sender = transferred.new_sender;
    return true;
  }

  bool operator()(const ShareDelegated& delegated);

  /// History, and the payloads that fold() has dealt with already.
  template <class Other>
  bool operator()(const Other&) {
    return true;
  }

 private:
  static bool increase(Amount& amount, Amount by) {
    const auto sum = add(amount, by);
    if (sum) amount = *sum;
    return sum.ok();
  }

  static bool decrease(Amount& amount, Amount by) {
    const auto difference = subtract(amount, by);
    if (difference) amount = *difference;
    return difference.ok();
  }

  bool move_to(StreamStatus status) {
    if (!is_final(stream_.status)) stream_.status = status;
    return true;
  }

  bool cancel() {
    if (is_final(stream_.status)) return true;
    stream_.status = StreamStatus::cancelled;
    stream_.cancelled_at = place_.closed_at;
    return true;
  }

  void checkpoint(Amount amount, UnixSeconds at) {
    stream_.checkpoint_amount = amount;
    stream_.checkpoint_at = at;
  }

  Stream& stream_;
  std::optional<Stream>& child_;
  const EventPlace& place_;
};

/// The log's own marks on a stream that this entry changes.
void stamp(Stream& stream, const EventPlace& place, std::uint64_t seq) {
  stream.updated_at = static_cast<UnixMillis>(std::min(place.closed_at, last_rfc3339_second)) * 1000;
  stream.version = seq;
  stream.ledger = place.ledger;
  stream.tx_hash = place.tx_hash;
}

void stamp_creation(Stream& stream, const EventPlace& place, std::uint64_t seq) {
  stamp(stream, place, seq);
  stream.created_at = stream.updated_at;
  stream.created_seq = seq;
}

bool Effects::operator()(const ShareDelegated& delegated) {
  const UnixSeconds now = place_.closed_at;
  const Amount old_deposit = stream_.deposit;
  const UnixSeconds seconds_left = stream_.end_time > now ? stream_.end_time - now : 0;

  checkpoint(streamed_at(stream_, now), now);
  stream_.rate_per_second = delegated.new_parent_rate;
  const auto still_to_stream = multiply(delegated.new_parent_rate, static_cast<Int128>(seconds_left));
  if (!still_to_stream) return false;
  const auto parent_deposit = add(stream_.checkpoint_amount, *still_to_stream);
  if (!parent_deposit) return false;
  const auto child_deposit = subtract(old_deposit, *parent_deposit);
  if (!child_deposit) return false;
  stream_.deposit = *parent_deposit;

  Stream child;
  child.id = chain_stream_id(place_.contract_id, delegated.child_stream);
  child.kind = stream_.kind;
  child.sender = stream_.sender;
  child.recipient = delegated.delegatee;
  child.token = stream_.token;
  child.deposit = *child_deposit;
  child.rate_per_second = delegated.child_rate;
  child.start_time = now;
  child.cliff_time = std::max(stream_.cliff_time, now);
  child.end_time = stream_.end_time;
  child.checkpoint_at = now;
  stamp_creation(child, place_, place_.seq + 1);
  child_ = std::move(child);
  return true;
}

FoldResult create(const StreamCreated& created, std::uint64_t number, const EventPlace& place) {
  Stream stream;
  if (place.contract_id.empty()) {
    stream.id = place.stream_id;
    stream.source = StreamSource::api;
  } else {
    stream.id = chain_stream_id(place.contract_id, number);
  }
  stream.sender = created.sender;
  stream.recipient = created.recipient;
  stream.deposit = created.deposit;
  stream.rate_per_second = created.rate_per_second;
  stream.start_time = created.start_time;
  stream.cliff_time = created.cliff_time;
  stream.end_time = created.end_time;
  stream.checkpoint_at = created.start_time;
  stamp_creation(stream, place, place.seq);
  return {std::move(stream), std::nullopt};
}

bool is_about_a_stream(const DecodedEvent& event) {
  return event.stream_number && !std::holds_alternative<UnknownTopic>(event.payload) &&
         !std::holds_alternative<ProtocolHistory>(event.payload) && !std::holds_alternative<Unfoldable>(event.payload);
}

/// One object of differing fields. Each add_… compares and writes `"name":[before,after]` when they differ.
class ChangeWriter {
 public:
  explicit ChangeWriter(std::string& output) : json_(output) { json_.begin_object(); }
  ~ChangeWriter() { json_.end_object(); }
  ChangeWriter(const ChangeWriter&) = delete;
  ChangeWriter& operator=(const ChangeWriter&) = delete;

  void text(std::string_view name, std::string_view before, std::string_view after) {
    if (before != after) pair(name, [&] { json_.string(before).string(after); });
  }
  void amount(std::string_view name, Amount before, Amount after) {
    if (before != after) pair(name, [&] { json_.amount(before).amount(after); });
  }
  void time(std::string_view name, UnixSeconds before, UnixSeconds after) {
    if (before != after) pair(name, [&] { json_.unix_seconds(before).unix_seconds(after); });
  }
  void boolean(std::string_view name, bool before, bool after) {
    if (before != after) pair(name, [&] { json_.boolean(before).boolean(after); });
  }
  void optional_time(std::string_view name, std::optional<UnixSeconds> before, std::optional<UnixSeconds> after) {
    if (before == after) return;
    pair(name, [&] {
      before ? json_.unix_seconds(*before) : json_.null();
      after ? json_.unix_seconds(*after) : json_.null();
    });
  }
  void optional_text(std::string_view name, const std::optional<std::string>& before,
                     const std::optional<std::string>& after) {
    if (before == after) return;
    pair(name, [&] {
      before ? json_.string(*before) : json_.null();
      after ? json_.string(*after) : json_.null();
    });
  }

 private:
  template <class WriteBoth>
  void pair(std::string_view name, WriteBoth write_both) {
    json_.key(name).begin_array();
    write_both();
    json_.end_array();
  }

  JsonWriter json_;
};

}  // namespace

bool is_final(StreamStatus status) noexcept {
  return status == StreamStatus::completed || status == StreamStatus::cancelled;
}

Result<FoldResult> fold(const Stream* before, const DecodedEvent& event, const EventPlace& place) {
  if (!is_about_a_stream(event)) return ErrorCode::event_payload_unreadable;
  if (const auto* created = std::get_if<StreamCreated>(&event.payload)) {
    if (before != nullptr) return ErrorCode::fold_duplicate_stream;
    return create(*created, *event.stream_number, place);
  }
  if (before == nullptr) return ErrorCode::fold_unknown_stream;

  FoldResult result{*before, std::nullopt};
  if (!std::visit(Effects(result.stream, result.child, place), event.payload)) return ErrorCode::fold_overflow;
  stamp(result.stream, place, place.seq);
  return result;
}

std::string describe_change(const Stream& before, const Stream& after) {
  std::string text;
  {
    ChangeWriter change(text);
    change.text("sender", before.sender, after.sender);
    change.text("recipient", before.recipient, after.recipient);
    change.optional_text("token", before.token, after.token);
    change.amount("depositAmount", before.deposit, after.deposit);
    change.amount("ratePerSecond", before.rate_per_second, after.rate_per_second);
    change.amount("withdrawnAmount", before.withdrawn, after.withdrawn);
    change.amount("settledAmount", before.settled, after.settled);
    change.time("startTime", before.start_time, after.start_time);
    change.time("cliffTime", before.cliff_time, after.cliff_time);
    change.time("endTime", before.end_time, after.end_time);
    change.optional_time("cancelledAt", before.cancelled_at, after.cancelled_at);
    change.amount("checkpointedAmount", before.checkpoint_amount, after.checkpoint_amount);
    change.time("checkpointedAt", before.checkpoint_at, after.checkpoint_at);
    change.text("kind", kind_name(before.kind), kind_name(after.kind));
    change.text("status", status_name(before.status), status_name(after.status));
    change.boolean("archived", before.archived, after.archived);
  }
  return text;
}

std::string describe_removal(const Stream& before) {
  std::string text;
  {
    ChangeWriter change(text);
    change.optional_text("sender", before.sender, std::nullopt);
    change.optional_text("recipient", before.recipient, std::nullopt);
  }
  return text;
}

std::string describe_change(const Stream* before, const Stream* after) {
  if (before == nullptr) return "{}";
  return after != nullptr ? describe_change(*before, *after) : describe_removal(*before);
}

}  // namespace fluxora::core
