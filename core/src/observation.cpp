#include "fluxora/core/observation.hpp"

#include "scval_writer.hpp"

namespace fluxora::core {
namespace {

/// Reads the fields of a struct; one that is missing or of another type makes the whole unreadable.
class StructFields {
 public:
  explicit StructFields(const ScVal& value) : value_(value) {}

  Amount amount(std::string_view name) { return required(amount_or_none(name)); }
  std::uint64_t u64(std::string_view name) { return required(u64_or_none(name)); }

  std::string address(std::string_view name) {
    const ScVal* field = value_.field(name);
    const std::string* text = field != nullptr ? field->address() : nullptr;
    if (text == nullptr) readable_ = false;
    return text != nullptr ? *text : std::string();
  }

  /// One of 0..last.
  template <class Enum>
  std::optional<Enum> enumeration_or_none(std::string_view name, Enum last) {
    const ScVal* field = value_.field(name);
    if (field == nullptr) return std::nullopt;
    const std::optional<std::uint32_t> number = field->u32();
    if (!number || *number > static_cast<std::uint32_t>(last)) {
      readable_ = false;
      return std::nullopt;
    }
    return static_cast<Enum>(*number);
  }
  template <class Enum>
  Enum enumeration(std::string_view name, Enum last) {
    return required(enumeration_or_none(name, last));
  }

  std::optional<std::uint64_t> u64_or_none(std::string_view name) { return read_or_none(name, &ScVal::u64); }
  std::optional<Amount> amount_or_none(std::string_view name) { return read_or_none(name, &ScVal::i128); }

  [[nodiscard]] bool readable() const { return readable_; }

 private:
  /// None where the field is absent, or void: an Option's none.
  template <class Value>
  std::optional<Value> read_or_none(std::string_view name, std::optional<Value> (ScVal::*read)() const noexcept) {
    const ScVal* field = value_.field(name);
    if (field == nullptr || field->type == ScValType::void_) return std::nullopt;
    std::optional<Value> value = (field->*read)();
    if (!value) readable_ = false;
    return value;
  }

  template <class T>
  T required(std::optional<T> value) {
    if (!value) readable_ = false;
    return value.value_or(T{});
  }

  const ScVal& value_;
  bool readable_ = true;
};

constexpr std::size_t topic_count = 3;

}  // namespace

Result<StoredStream> decode_stored_stream(const ScVal& value) {
  StructFields fields(value);
  StoredStream stored;
  stored.number = fields.u64("stream_id");
  stored.sender = fields.address("sender");
  stored.recipient = fields.address("recipient");
  stored.deposit = fields.amount("deposit_amount");
  stored.rate_per_second = fields.amount("rate_per_second");
  stored.withdrawn = fields.amount("withdrawn_amount");
  stored.start_time = fields.u64("start_time");
  stored.cliff_time = fields.u64("cliff_time");
  stored.end_time = fields.u64("end_time");
  stored.status = fields.enumeration("status", StreamStatus::cancelled);
  stored.cancelled_at = fields.u64_or_none("cancelled_at");
  stored.kind = fields.enumeration_or_none("kind", StreamKind::cliff_slope);
  stored.checkpoint_amount = fields.amount_or_none("checkpointed_amount");
  stored.checkpoint_at = fields.u64_or_none("checkpointed_at");
  if (!fields.readable()) return ErrorCode::observation_unreadable;
  return stored;
}

Result<std::vector<Bytes>> encode_observation_topics(std::uint64_t number, const std::optional<std::string>& token) {
  std::vector<Bytes> topics(topic_count);
  ScValWriter(topics[0]).symbol("observed");
  ScValWriter(topics[1]).u64(number);
  if (!token) {
    ScValWriter(topics[2]).void_value();
    return topics;
  }
  const auto key = decode_strkey(*token);
  if (!key) return key.error();
  ScValWriter(topics[2]).address(*key);
  return topics;
}

Bytes encode_no_entry() {
  Bytes value;
  ScValWriter(value).void_value();
  return value;
}

Result<Observation> decode_observation(const std::vector<Bytes>& topics_xdr, ByteView value_xdr) {
  if (topics_xdr.size() != topic_count) return ErrorCode::observation_unreadable;
  const auto token = decode_scval(topics_xdr[2]);
  const auto value = decode_scval(value_xdr);
  if (!token || !value) return ErrorCode::observation_unreadable;

  Observation observation;
  if (const std::string* address = token->address()) observation.token = *address;
  if (value->type == ScValType::void_) {
    if (!observation.token) return ErrorCode::observation_unreadable;
    return observation;
  }
  auto stored = decode_stored_stream(*value);
  if (!stored) return stored.error();
  observation.stored = std::move(*stored);
  return observation;
}

void apply_observation(Stream& stream, const Observation& observation) {
  if (observation.token) stream.token = observation.token;
  if (!observation.stored) return;
  const StoredStream& stored = *observation.stored;
  stream.sender = stored.sender;
  stream.recipient = stored.recipient;
  stream.deposit = stored.deposit;
  stream.rate_per_second = stored.rate_per_second;
  stream.start_time = stored.start_time;
  stream.cliff_time = stored.cliff_time;
  stream.end_time = stored.end_time;
  stream.status = stored.status;
  stream.cancelled_at = stored.cancelled_at;
  stream.withdrawn = stored.status == StreamStatus::completed ? stored.deposit : stored.withdrawn;
  if (stored.kind) stream.kind = *stored.kind;
  if (stored.checkpoint_amount) stream.checkpoint_amount = *stored.checkpoint_amount;
  if (stored.checkpoint_at) stream.checkpoint_at = *stored.checkpoint_at;
}

}  // namespace fluxora::core
