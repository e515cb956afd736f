#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/observation.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/scval_json.hpp"
#include "fluxora/core/stream.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

using StreamKey = std::pair<std::string, std::uint64_t>;  // contract and number
using Fields = std::map<std::string, std::string>;        // the storage's names, values in SEP-51 JSON

constexpr std::string_view no_value = R"("void")";  // an Option that holds nothing

std::string scval_json(const ScVal& value) {
  std::string text;
  JsonWriter json(text);
  write_scval_json(json, value);
  return text;
}

std::string i128_json(Amount amount) {
  return R"({"i128":")" + format_units(amount.units) + R"("})";
}

std::string u64_json(std::uint64_t value) {
  return R"({"u64":")" + std::to_string(value) + R"("})";
}

std::string address_json(const std::string& address) {
  return R"({"address":")" + address + R"("})";
}

/// What the contract's storage would hold of a folded stream. `kind` is in no event (SPEC section 3, "Observation").
Fields fields_of(const Stream& stream, std::uint64_t number) {
  return {{"stream_id", u64_json(number)},
          {"sender", address_json(stream.sender)},
          {"recipient", address_json(stream.recipient)},
          {"deposit_amount", i128_json(stream.deposit)},
          {"rate_per_second", i128_json(stream.rate_per_second)},
          {"withdrawn_amount", i128_json(stream.withdrawn)},
          {"start_time", u64_json(stream.start_time)},
          {"cliff_time", u64_json(stream.cliff_time)},
          {"end_time", u64_json(stream.end_time)},
          {"status", R"({"u32":)" + std::to_string(static_cast<unsigned>(stream.status)) + "}"},
          {"cancelled_at", stream.cancelled_at ? u64_json(*stream.cancelled_at) : std::string(no_value)},
          {"checkpointed_amount", i128_json(stream.checkpoint_amount)},
          {"checkpointed_at", u64_json(stream.checkpoint_at)}};
}

/// The fields of a storage value; none when it is no map of symbols.
std::optional<Fields> stored_fields(const ScVal& value) {
  if (value.map() == nullptr) return std::nullopt;
  Fields fields;
  for (const ScMapEntry& entry : *value.map()) {
    if (entry.key.symbol() == nullptr) return std::nullopt;
    fields[*entry.key.symbol()] = scval_json(entry.value);
  }
  return fields;
}

/// The stream's number in a storage key vec[symbol "Stream", u64]; none in other keys.
std::optional<std::uint64_t> stored_stream_number(const ScVal& key) {
  const ScVec* parts = key.vec();
  if (parts == nullptr || parts->size() != 2) return std::nullopt;
  const std::string* word = (*parts)[0].symbol();
  if (word == nullptr || *word != "Stream") return std::nullopt;
  return (*parts)[1].u64();
}

std::optional<ScVal> decoded(const Json& base64) {
  if (!base64.is_string()) return std::nullopt;
  auto value = decode_scval_base64(base64.get_ref<const std::string&>());
  if (!value) return std::nullopt;
  return *std::move(value);
}

std::optional<ScVal> decoded_member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::nullopt : decoded(*found);
}

struct Replayed {
  Stream stream;
  /// Fields that a run's events leave open, because they hang on a close time that a run doesn't give.
  std::set<std::string> open;
};

struct Totals {
  std::size_t streams = 0;
  std::size_t archived = 0;
  std::size_t observed = 0;
  std::size_t fields = 0;
  std::size_t open_fields = 0;
};

/// One run of the contract: its events, folded in order, and the storage that it ended with.
class ContractRun {
 public:
  ContractRun(const Json& run, Totals& totals)
      : run_(run), end_(seconds(run, "ledgerTimestampAtEnd")), totals_(totals) {}

  void check() {
    ASSERT_TRUE(has(run_, "events") && run_.at("events").is_array());
    ASSERT_TRUE(has(run_, "finalStreams") && run_.at("finalStreams").is_array());
    read_storage();
    std::size_t number = 0;
    for (const Json& event : run_.at("events")) {
      SCOPED_TRACE("event " + std::to_string(++number) + " " + text(event, "name").value_or(""));
      if (!flag(event, "failedCall").value_or(false)) replay(event);
    }
    compare();
  }

 private:
  void read_storage() {
    for (const Json& entry : run_.at("finalStreams")) {
      const auto key = decoded_member(entry, "key");
      const auto value = decoded_member(entry, "val");
      ASSERT_TRUE(key && value) << "a storage entry that our decoder refuses: " << entry;
      const auto number = stored_stream_number(*key);
      if (!number) continue;
      const auto fields = stored_fields(*value);
      ASSERT_TRUE(fields) << "a stream that is no map: " << entry;
      stored_[{text(entry, "contract").value_or(""), *number}] = *fields;
      check_observation(*value, *fields);
    }
  }

  /// Observing the entry gives a stream with the same fields, whatever the stream was before.
  void check_observation(const ScVal& value, const Fields& fields) {
    const auto stored = decode_stored_stream(value);
    ASSERT_TRUE(stored) << "a stored stream that can't be observed";
    Stream observed;
    apply_observation(observed, {*stored, std::nullopt});
    compare_fields(fields_of(observed, stored->number), fields, {});
    const auto kind = fields.find("kind");
    EXPECT_EQ(stored->kind.has_value(), kind != fields.end());
  }

  void replay(const Json& event) {
    ScVec topics;
    ASSERT_TRUE(has(event, "topic") && event.at("topic").is_array());
    for (const Json& topic : event.at("topic")) {
      auto value = decoded(topic);
      ASSERT_TRUE(value) << "a topic that our decoder refuses: " << topic;
      topics.push_back(*std::move(value));
    }
    const auto value = decoded_member(event, "value");
    ASSERT_TRUE(value) << "a value that our decoder refuses";

    const DecodedEvent said = decode_contract_event(topics, *value);
    if (!said.stream_number) return;  // the token's events, and the protocol's
    const StreamKey key{text(event, "contractId").value_or(""), *said.stream_number};
    if (std::holds_alternative<Unfoldable>(said.payload)) {
      observe_creation(key, said, *value);
    } else if (observed_.count(key) == 0) {
      apply(key, said, *value);
    }
  }

  /// Only the oldest `created` is beyond folding; its stream is observed and folded from there (SPEC section 3). What
  /// there was to observe is what the run's call asked for. Without that call the stream stays out of the comparison.
  void observe_creation(const StreamKey& key, const DecodedEvent& said, const ScVal& value) {
    ASSERT_TRUE(said.kind == "created" && value.i128()) << said.kind << " can't be folded";
    auto created = creation_called_for(key.second);
    if (!created) {
      observed_.insert(key);
      return;
    }
    EXPECT_EQ(i128_json(created->deposit), i128_json(*value.i128())) << "the deposit is all that the event says";
    ++totals_.observed;
    apply(key, {said.kind, said.stream_number, *std::move(created)}, value);
  }

  /// The creation in whose call the contract answered with this number.
  [[nodiscard]] std::optional<StreamCreated> creation_called_for(std::uint64_t number) const {
    for (const Json& call : run_.value("calls", Json::array())) {
      const auto answer = decoded_member(call, "ret");
      const auto arguments = decoded_member(call, "args");
      if (text(call, "fn") != "create_stream" || !answer || answer->u64() != number || !arguments) continue;
      const ScVec* values = arguments->vec();
      if (values == nullptr || values->size() < 7) continue;
      const auto& all = *values;
      if (!all[0].address() || !all[1].address() || !all[2].i128() || !all[3].i128() || !all[4].u64() ||
          !all[5].u64() || !all[6].u64()) {
        continue;
      }
      return StreamCreated{*all[0].address(), *all[1].address(), *all[2].i128(), *all[3].i128(),
                           *all[4].u64(),     *all[5].u64(),     *all[6].u64()};
    }
    return std::nullopt;
  }

  void apply(const StreamKey& key, const DecodedEvent& said, const ScVal& value) {
    const auto held = streams_.find(key);
    EventPlace place;
    place.contract_id = key.first;
    place.closed_at = end_.value_or(0);
    place.seq = seq_;
    seq_ += 2;  // a delegated share makes two entries
    const Stream* before = held == streams_.end() ? nullptr : &held->second.stream;
    auto folded = fold(before, said, place);
    ASSERT_TRUE(folded) << said.kind << " of stream " << key.second << ": " << error_name(folded.error().code);

    Replayed& replayed = streams_[key];
    if (const auto* delegated = std::get_if<ShareDelegated>(&said.payload)) {
      leave_share_open(key, *delegated, replayed);
      streams_[{key.first, delegated->child_stream}].stream = *folded->child;
    } else {
      follow_open_fields(said, value, folded->stream, stored_at(key), replayed.open);
    }
    replayed.stream = std::move(folded->stream);
    learn_kind(key, replayed.stream);
  }

  /// `kind` is observed after a creation, and accrual hangs on it.
  void learn_kind(const StreamKey& key, Stream& stream) const {
    const auto kind = stored_at(key).find("kind");
    if (kind == stored_at(key).end()) return;
    for (const StreamKind known : {StreamKind::linear, StreamKind::cliff_only, StreamKind::cliff_slope}) {
      if (kind->second == R"({"u32":)" + std::to_string(static_cast<unsigned>(known)) + "}") stream.kind = known;
    }
  }

  /// Which fields the events settle after one more of them.
  static void follow_open_fields(const DecodedEvent& said, const ScVal& value, const Stream& after,
                                 const Fields& stored, std::set<std::string>& open) {
    if (std::holds_alternative<RateUpdated>(said.payload)) {
      // One of the contract's two paths doesn't checkpoint (SPEC section 3): the storage says which one it was.
      const auto at = stored.find("checkpointed_at");
      const bool took_it = at != stored.end() && at->second == u64_json(after.checkpoint_at);
      if (!took_it || open.count("checkpointed_amount") != 0) {
        open.insert({"checkpointed_amount", "checkpointed_at"});
      }
    } else if (std::holds_alternative<RateDecreased>(said.payload)) {
      open.erase("checkpointed_amount");
      open.erase("checkpointed_at");
    } else if (std::holds_alternative<ToppedUp>(said.payload)) {
      open.erase("deposit_amount");
    } else if (std::holds_alternative<StreamCompleted>(said.payload)) {
      if (open.count("deposit_amount") != 0) open.insert("withdrawn_amount");
    } else if (std::holds_alternative<StreamCancelled>(said.payload)) {
      // Before its payload was `vec[StreamCancelled, id]`, a cancellation by the administrator kept no time.
      const bool newest = value.vec() != nullptr && !value.vec()->empty() && value.vec()->front().symbol() != nullptr &&
                          *value.vec()->front().symbol() == "StreamCancelled";
      const auto kept = stored.find("cancelled_at");
      if (!newest && kept != stored.end() && kept->second == no_value) open.insert("cancelled_at");
    }
  }

  /// A share is split at its close time. The child's start names that, and only the run's last second is known to us.
  void leave_share_open(const StreamKey& parent, const ShareDelegated& delegated, Replayed& replayed) {
    const StreamKey child{parent.first, delegated.child_stream};
    const auto start = stored_at(child).find("start_time");
    const bool at_the_end = end_ && start != stored_at(child).end() && start->second == u64_json(*end_);
    const bool settled =
        at_the_end && replayed.open.count("checkpointed_amount") == 0 && replayed.open.count("deposit_amount") == 0;
    if (settled) return;
    replayed.open.insert({"deposit_amount", "checkpointed_amount", "checkpointed_at"});
    streams_[child].open = {"deposit_amount"};
    if (!at_the_end) streams_[child].open.insert({"start_time", "cliff_time", "checkpointed_at"});
  }

  void compare() {
    for (const auto& [key, replayed] : streams_) {
      SCOPED_TRACE("stream " + replayed.stream.id);
      if (replayed.stream.archived) {
        EXPECT_EQ(stored_.count(key), 0u) << "archived, but the contract still has it";
        ++totals_.archived;
        continue;
      }
      ASSERT_EQ(stored_.count(key), 1u) << "held by the fold, but not by the contract";
      compare_fields(fields_of(replayed.stream, key.second), stored_.at(key), replayed.open);
      ++totals_.streams;
    }
    for (const auto& [key, fields] : stored_) {
      EXPECT_TRUE(streams_.count(key) != 0 || observed_.count(key) != 0)
          << "stream " << key.first << "-" << key.second << " is held by the contract, but not by the fold";
    }
  }

  /// Fields that this version of the contract doesn't store, or that are in no event, are passed over.
  void compare_fields(const Fields& folded, const Fields& stored, const std::set<std::string>& open) {
    for (const auto& [name, value] : folded) {
      const auto found = stored.find(name);
      if (found == stored.end()) continue;
      if (open.count(name) != 0) {
        ++totals_.open_fields;
        continue;
      }
      if (name == "cancelled_at" && !settles_cancellation(found->second)) {
        EXPECT_NE(value, no_value) << name << " is " << found->second;
        ++totals_.open_fields;
        continue;
      }
      EXPECT_EQ(value, found->second) << name;
      ++totals_.fields;
    }
  }

  /// Every event has the run's last second here; an earlier cancellation can't be told from the events.
  [[nodiscard]] bool settles_cancellation(const std::string& stored) const {
    return stored == no_value || (end_ && stored == u64_json(*end_));
  }

  [[nodiscard]] const Fields& stored_at(const StreamKey& key) const {
    static const Fields nothing;
    const auto found = stored_.find(key);
    return found == stored_.end() ? nothing : found->second;
  }

  const Json& run_;
  std::optional<UnixSeconds> end_;  ///< the run's last second, the only time that it gives
  Totals& totals_;
  std::map<StreamKey, Fields> stored_;
  std::map<StreamKey, Replayed> streams_;
  std::set<StreamKey> observed_;
  std::uint64_t seq_ = 1;
};

TEST(ReplayVectors, FoldedEventsGiveTheContractsStorage) {
  const VectorCases file = read_lines("contract-events/host_replay.jsonl");
  REQUIRE_VECTORS(file);
  Totals totals;
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    SCOPED_TRACE(file.place(i) + ": " + text(file.cases[i], "snapshot").value_or(""));
    ContractRun(file.cases[i], totals).check();
  }
  EXPECT_GT(totals.fields, 0u) << "nothing was compared";
  file.report();
  std::printf("vectors: %s %zu streams stored and %zu archived, %zu of these observed; %zu fields compared, %zu open\n",
              file.name.c_str(), totals.streams, totals.archived, totals.observed, totals.fields, totals.open_fields);
}

}  // namespace
}  // namespace fluxora::core::vectors
