#include "contract.hpp"

#include <algorithm>
#include <utility>

#include "chain_events.hpp"
#include "fluxora/core/accrual.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::simulation {
namespace {

using core::Amount;
using core::EventName;
using core::Stream;
using core::StreamStatus;
using indexer::test::address_xdr;
using indexer::test::broken_xdr;
using indexer::test::i128_xdr;
using indexer::test::map_xdr;
using indexer::test::symbol_xdr;
using indexer::test::u32_xdr;
using indexer::test::u64_xdr;
using indexer::test::void_xdr;

std::string address_of(core::StrKeyVersion version, std::uint8_t byte) {
  return *core::encode_strkey(version, core::Bytes(32, byte));
}

/// What the contract calls a stream's number, of the two parts of its id.
std::uint64_t number_of(const Stream& stream) {
  return std::stoull(stream.id.substr(stream.id.rfind('-') + 1));
}
std::string contract_of(const Stream& stream) {
  return stream.id.substr(0, stream.id.rfind('-'));
}

/// One transaction's work on the contracts.
class Transaction {
 public:
  Transaction(ContractState& state, Random& random, core::UnixSeconds now, std::uint32_t ledger)
      : state_(state), random_(random), now_(now), ledger_(ledger) {}

  std::vector<Happening> run() {
    const std::uint64_t dice = random_.below(100);
    if (state_.streams.empty() || dice < 16) {
      create();
    } else if (dice < 82) {
      work_on(any_stream());
    } else {
      make_noise();
    }
    return std::move(happenings_);
  }

 private:
  Stream& any_stream() {
    auto at = state_.streams.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(state_.streams.size())));
    return at->second;
  }

  Amount amount_up_to(Amount most) {
    const auto bound = static_cast<std::uint64_t>(std::min<core::Int128>(most.units, core::Int128{1} << 62));
    return {core::Int128{static_cast<std::int64_t>(random_.between(1, std::max<std::uint64_t>(bound, 1)))}};
  }

  /// An event that tells of a change of its stream.
  void tell(Stream& stream, std::string_view topic, core::Bytes value, EventName name = EventName::stream_updated) {
    state_.modified[stream.id] = ledger_;
    note(contract_of(stream), {symbol_xdr(topic), u64_xdr(number_of(stream))}, std::move(value), name, stream.id, true);
  }

  /// The way the newer contracts write enums: vec[symbol, id].
  void tell_variant(Stream& stream, const core::EventPayload& payload, EventName name) {
    auto encoded = core::encode_contract_event(payload, number_of(stream));
    state_.modified[stream.id] = ledger_;
    note(contract_of(stream), std::move(encoded->topics_xdr), std::move(encoded->value_xdr), name, stream.id, true);
  }

  void note(std::string contract, std::vector<core::Bytes> topics, core::Bytes value, EventName name,
            std::string stream_id, bool folds) {
    Happening happening;
    happening.event = indexer::test::event_of(std::move(topics), std::move(value));
    happening.event.contract_id = std::move(contract);
    happening.name = name;
    happening.stream_id = std::move(stream_id);
    happening.folds = folds;
    happenings_.push_back(std::move(happening));
  }

  Stream new_stream() {
    Stream stream;
    stream.id = core::chain_stream_id(random_.pick(followed_contracts()), state_.next_number++);
    stream.sender = random_.pick(accounts());
    stream.recipient = random_.pick(accounts());
    stream.deposit = {core::Int128{static_cast<std::int64_t>(random_.between(1, 5'000'000'000))}};
    stream.rate_per_second = {core::Int128{static_cast<std::int64_t>(random_.between(1, 50'000'000))}};
    // Some starts lie behind us, and some ends too; and some cliffs are at the start, which is none.
    stream.start_time = now_ - 20 + random_.below(80);
    stream.cliff_time = stream.start_time + (random_.permille(500) ? 0 : random_.between(1, 60));
    stream.end_time = stream.cliff_time + random_.between(1, 200);
    stream.checkpoint_at = stream.start_time;
    if (state_.kinds) stream.kind = static_cast<core::StreamKind>(random_.below(3));
    return stream;
  }

  void create() {
    Stream stream = new_stream();
    if (random_.permille(50)) {  // the oldest contract tells its deposit alone
      note(contract_of(stream), {symbol_xdr("created"), u64_xdr(number_of(stream))}, i128_xdr(stream.deposit),
           EventName::stream_created, stream.id, false);
      return;
    }
    std::vector<std::pair<std::string, core::Bytes>> fields = {
        {"cliff_time", u64_xdr(stream.cliff_time)},   {"deposit_amount", i128_xdr(stream.deposit)},
        {"end_time", u64_xdr(stream.end_time)},       {"rate_per_second", i128_xdr(stream.rate_per_second)},
        {"recipient", address_xdr(stream.recipient)}, {"sender", address_xdr(stream.sender)},
        {"start_time", u64_xdr(stream.start_time)},   {"stream_id", u64_xdr(number_of(stream))},
    };
    if (random_.permille(700)) {  // newer ones tell more
      fields.insert(fields.begin() + 3, {"memo", void_xdr()});
      fields.insert(fields.begin() + 4, {"metadata", void_xdr()});
      fields.push_back({"withdraw_dust_threshold", i128_xdr({1})});
    }
    Stream& held = state_.streams.emplace(stream.id, stream).first->second;
    tell(held, "created", map_xdr(fields), EventName::stream_created);
    if (random_.permille(100)) tell(held, "cloned", map_xdr({{"new_stream_id", u64_xdr(number_of(held))}}));
  }

  void work_on(Stream& stream) {
    if (core::is_final(stream.status)) return work_on_final(stream);
    switch (random_.below(17)) {
      case 0:
      case 1:
      case 2: return withdraw(stream);
      case 3: return pause(stream);
      case 4: return resume(stream);
      case 5: return cancel(stream);
      case 6: return cancel_by_keeper(stream);
      case 7: return complete(stream);
      case 8: return close(stream);
      case 9: return update_rate(stream);
      case 10: return decrease_rate(stream);
      case 11: return shorten(stream);
      case 12: return extend(stream);
      case 13: return top_up(stream);
      case 14: return change_parties(stream);
      case 15: return delegate(stream);
      default: return tell_history(stream);
    }
  }

  /// What happens to a stream that has ended; its end stays.
  void work_on_final(Stream& stream) {
    switch (random_.below(7)) {
      case 0: return stream.status == StreamStatus::cancelled ? withdraw(stream) : tell_history(stream);
      case 1: return pause(stream);
      case 2: return resume(stream);
      case 3: return tell_variant(stream, core::StreamCancelled{}, EventName::stream_cancelled);
      case 4: return change_parties(stream);
      case 5: return close(stream);
      default: return tell_history(stream);
    }
  }

  void withdraw(Stream& stream) {
    const Amount left{stream.deposit.units - stream.withdrawn.units};
    if (left.units <= 0) return tell_history(stream);
    const Amount amount = amount_up_to(left);
    stream.withdrawn.units += amount.units;
    switch (random_.below(3)) {
      case 0: tell(stream, "withdrew", i128_xdr(amount)); break;  // the oldest
      case 1:
        tell(stream, "wdraw_to", map_xdr({{"amount", i128_xdr(amount)}, {"destination", address_xdr(accounts()[0])}}));
        break;
      default: tell(stream, "withdrew", map_xdr({{"amount", i128_xdr(amount)}}));
    }
    if (stream.withdrawn == stream.deposit && !core::is_final(stream.status)) complete(stream);
  }

  void pause(Stream& stream) {
    if (!core::is_final(stream.status)) stream.status = StreamStatus::paused;
    switch (random_.below(3)) {
      case 0: return tell(stream, "paused", void_xdr());
      case 1: return tell_variant(stream, core::StreamPaused{}, EventName::stream_updated);
      default: return tell(stream, "paused", map_xdr({{"reason", void_xdr()}}));
    }
  }

  void resume(Stream& stream) {
    if (!core::is_final(stream.status)) stream.status = StreamStatus::active;
    tell_variant(stream, core::StreamResumed{}, EventName::stream_updated);
  }

  void end_as(Stream& stream, StreamStatus status) {
    if (core::is_final(stream.status)) return;
    stream.status = status;
    if (status == StreamStatus::cancelled) stream.cancelled_at = now_;
    if (status == StreamStatus::completed) stream.withdrawn = stream.deposit;
  }

  void cancel(Stream& stream) {
    if (random_.permille(500)) return tell_history(stream);  // streams should live a while
    end_as(stream, StreamStatus::cancelled);
    tell_variant(stream, core::StreamCancelled{}, EventName::stream_cancelled);
  }

  void cancel_by_keeper(Stream& stream) {
    if (random_.permille(700)) return tell_history(stream);
    const Amount paid = amount_up_to({1'000'000});
    stream.settled.units += paid.units;
    end_as(stream, StreamStatus::cancelled);
    tell(stream, "kp_cncl", map_xdr({{"keeper_fee", i128_xdr({1})}, {"recipient_amount", i128_xdr(paid)}}),
         EventName::stream_cancelled);
  }

  void complete(Stream& stream) {
    end_as(stream, StreamStatus::completed);
    tell(stream, "completed", void_xdr(), EventName::stream_completed);
  }

  void close(Stream& stream) {
    if (!core::is_final(stream.status)) return tell_history(stream);  // streams close when they have ended
    stream.archived = true;
    tell(stream, "closed", void_xdr());
  }

  void update_rate(Stream& stream) {
    const core::UnixSeconds at = now_ - random_.below(3);
    const Amount rate = amount_up_to({50'000'000});
    stream.checkpoint_amount = core::streamed_at(stream, at);
    stream.checkpoint_at = at;
    stream.rate_per_second = rate;
    tell(stream, "rate_upd", map_xdr({{"effective_time", u64_xdr(at)}, {"new_rate_per_second", i128_xdr(rate)}}));
  }

  void decrease_rate(Stream& stream) {
    const Amount streamed = core::streamed_at(stream, now_);
    const Amount rate = amount_up_to(stream.rate_per_second);
    const Amount refund = amount_up_to({100'000});
    stream.checkpoint_amount = streamed;
    stream.checkpoint_at = now_;
    stream.rate_per_second = rate;
    stream.deposit.units -= refund.units;
    tell(stream, "rate_dec",
         map_xdr({{"checkpointed_amount", i128_xdr(streamed)},
                  {"effective_time", u64_xdr(now_)},
                  {"new_rate_per_second", i128_xdr(rate)},
                  {"refund_amount", i128_xdr(refund)}}));
  }

  void shorten(Stream& stream) {
    // Also to a time that has passed already, as no good contract would.
    end_at(stream, now_ - 5 + random_.below(60));
  }

  void end_at(Stream& stream, core::UnixSeconds end) {
    const Amount refund = amount_up_to({100'000});
    stream.end_time = end;
    stream.deposit.units -= refund.units;
    tell(stream, "end_shrt", map_xdr({{"new_end_time", u64_xdr(end)}, {"refund_amount", i128_xdr(refund)}}));
  }

  void extend(Stream& stream) {
    const core::UnixSeconds before = stream.end_time;
    stream.end_time += random_.between(1, 60);
    tell(stream, "end_ext", map_xdr({{"new_end_time", u64_xdr(stream.end_time)}}));
    if (random_.permille(200)) end_at(stream, before);  // and back at once
  }

  void top_up(Stream& stream) {
    const Amount added = amount_up_to({1'000'000'000});
    stream.deposit.units += added.units;
    stream.end_time += random_.below(60);
    tell(stream, "top_up",
         map_xdr({{"new_deposit_amount", i128_xdr(stream.deposit)}, {"new_end_time", u64_xdr(stream.end_time)}}));
  }

  void change_parties(Stream& stream) {
    const std::string& address = random_.pick(accounts());
    if (random_.permille(500)) {
      stream.recipient = address;
      tell(stream, "recp_upd", map_xdr({{"new_recipient", address_xdr(address)}}));
    } else {
      stream.sender = address;
      tell(stream, "sndr_xfr", map_xdr({{"new_sender", address_xdr(address)}}));
    }
  }

  void delegate(Stream& parent) {
    const Amount old_deposit = parent.deposit;
    const Amount parent_rate = amount_up_to(parent.rate_per_second);
    const Amount child_rate = amount_up_to({10'000'000});
    const core::UnixSeconds left = parent.end_time > now_ ? parent.end_time - now_ : 0;
    const Amount streamed = core::streamed_at(parent, now_);
    parent.checkpoint_amount = streamed;
    parent.checkpoint_at = now_;
    parent.rate_per_second = parent_rate;
    parent.deposit = {streamed.units + parent_rate.units * static_cast<core::Int128>(left)};

    Stream child;
    child.id = core::chain_stream_id(contract_of(parent), state_.next_number++);
    child.kind = parent.kind;
    child.sender = parent.sender;
    child.recipient = random_.pick(accounts());
    child.deposit = {old_deposit.units - parent.deposit.units};
    child.rate_per_second = child_rate;
    child.start_time = now_;
    child.cliff_time = std::max(parent.cliff_time, now_);
    child.end_time = parent.end_time;
    child.checkpoint_at = now_;
    tell(parent, "del_share",
         map_xdr({{"child_rate", i128_xdr(child_rate)},
                  {"child_stream_id", u64_xdr(number_of(child))},
                  {"delegatee", address_xdr(child.recipient)},
                  {"new_parent_rate", i128_xdr(parent_rate)},
                  {"parent_stream_id", u64_xdr(number_of(parent))}}));
    happenings_.back().child_id = child.id;
    state_.modified[child.id] = ledger_;
    state_.streams.emplace(child.id, std::move(child));
  }

  void tell_history(Stream& stream) {
    static const std::vector<std::string_view> topics = {"decomm",    "health",  "rate_cap",  "ac_set",
                                                         "ac_revoke", "ac_trig", "claim_own", "renewed"};
    tell(stream, random_.pick(topics), void_xdr());
  }

  /// What changes nothing, and has to be kept all the same.
  void make_noise() {
    const std::string& contract = random_.pick(followed_contracts());
    switch (random_.below(10)) {
      case 0:
        return note(contract, {symbol_xdr("surprise"), u64_xdr(1)}, u32_xdr(7), EventName::chain_event, "", false);
      case 1: return note(contract, {symbol_xdr("cancelled")}, void_xdr(), EventName::protocol_event, "", false);
      case 2:
        return note(contract, {symbol_xdr("cancelled"), u32_xdr(3)}, void_xdr(), EventName::protocol_event, "", false);
      case 3: return note(contract, {symbol_xdr("gl_pause")}, void_xdr(), EventName::protocol_event, "", false);
      case 4: return note(contract, {broken_xdr()}, void_xdr(), EventName::chain_event, "", false);
      case 5:
        return note(other_contract(), {symbol_xdr("created"), u64_xdr(1)}, i128_xdr({1}), EventName::stream_created,
                    core::chain_stream_id(other_contract(), 1), false);
      case 6: {  // of a stream that nobody knows
        const std::uint64_t number = 1'000'000 + random_.below(3);
        return note(contract, {symbol_xdr("withdrew"), u64_xdr(number)}, i128_xdr({5}), EventName::stream_updated,
                    core::chain_stream_id(contract, number), false);
      }
      default: break;
    }
    if (state_.streams.empty()) return;
    const Stream& stream = any_stream();
    const std::vector<core::Bytes> withdrew = {symbol_xdr("withdrew"), u64_xdr(number_of(stream))};
    switch (random_.below(4)) {
      case 0:  // a call that failed did nothing
        note(contract_of(stream), withdrew, i128_xdr({1'000'000'000}), EventName::chain_event, stream.id, false);
        happenings_.back().event.in_successful_call = false;
        return;
      case 1: return note(contract_of(stream), withdrew, broken_xdr(), EventName::stream_updated, stream.id, false);
      case 2:  // a second creation
        return note(contract_of(stream), {symbol_xdr("created"), u64_xdr(number_of(stream))}, void_xdr(),
                    EventName::stream_created, stream.id, false);
      default:  // more than an i128 can hold
        if (stream.withdrawn.units <= 0 || !state_.all_is_told) return;
        return note(contract_of(stream), withdrew, i128_xdr({core::int128_max}), EventName::stream_updated, stream.id,
                    false);
    }
  }

  ContractState& state_;
  Random& random_;
  const core::UnixSeconds now_;
  const std::uint32_t ledger_;
  std::vector<Happening> happenings_;
};

}  // namespace

const std::vector<std::string>& accounts() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made;
    for (std::uint8_t byte = 1; byte <= 5; ++byte) made.push_back(address_of(core::StrKeyVersion::account, byte));
    made.push_back(address_of(core::StrKeyVersion::contract, 6));
    return made;
  }();
  return all;
}

const std::vector<std::string>& followed_contracts() {
  static const std::vector<std::string> contracts = {address_of(core::StrKeyVersion::contract, 0x21),
                                                     address_of(core::StrKeyVersion::contract, 0x22)};
  return contracts;
}

const std::string& other_contract() {
  static const std::string contract = address_of(core::StrKeyVersion::contract, 0x23);
  return contract;
}

std::vector<Happening> act(ContractState& state, Random& random, core::UnixSeconds now, std::uint32_t ledger) {
  return Transaction(state, random, now, ledger).run();
}

const indexer::test::Storage& instances() {
  static const indexer::test::Storage all = [] {
    indexer::test::Storage made;
    for (const std::string& contract : followed_contracts()) indexer::test::store_contract(made, contract);
    indexer::test::store_token(made, core::amount_decimals);
    return made;
  }();
  return all;
}

std::string_view token() {
  return core::sample_token;
}

core::Bytes storage_entry(const core::Stream& stream) {
  const core::Bytes key = *core::stream_ledger_key(stream.id);
  core::Bytes entry(key.begin(), key.begin() + 4);  // the type; then no extension; then what stands in the key
  core::XdrWriter(entry).write_u32(0);
  entry.insert(entry.end(), key.begin() + 4, key.end());
  const core::Bytes value = map_xdr({{"cancelled_at", stream.cancelled_at ? u64_xdr(*stream.cancelled_at) : void_xdr()},
                                     {"checkpointed_amount", i128_xdr(stream.checkpoint_amount)},
                                     {"checkpointed_at", u64_xdr(stream.checkpoint_at)},
                                     {"cliff_time", u64_xdr(stream.cliff_time)},
                                     {"deposit_amount", i128_xdr(stream.deposit)},
                                     {"end_time", u64_xdr(stream.end_time)},
                                     {"kind", u32_xdr(static_cast<std::uint32_t>(stream.kind))},
                                     {"rate_per_second", i128_xdr(stream.rate_per_second)},
                                     {"recipient", address_xdr(stream.recipient)},
                                     {"sender", address_xdr(stream.sender)},
                                     {"start_time", u64_xdr(stream.start_time)},
                                     {"status", u32_xdr(static_cast<std::uint32_t>(stream.status))},
                                     {"stream_id", u64_xdr(number_of(stream))},
                                     {"withdrawn_amount", i128_xdr(stream.withdrawn)}});
  entry.insert(entry.end(), value.begin(), value.end());
  return entry;
}

}  // namespace fluxora::simulation
