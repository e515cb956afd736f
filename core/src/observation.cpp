#include "fluxora/core/observation.hpp"

#include "scval_writer.hpp"
#include "struct_fields.hpp"

namespace fluxora::core {
namespace {

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
  stored.status =
      static_cast<StreamStatus>(fields.enumeration("status", static_cast<std::uint32_t>(StreamStatus::cancelled)));
  stored.cancelled_at = fields.u64_or_none("cancelled_at");
  if (fields.has("kind")) {
    stored.kind =
        static_cast<StreamKind>(fields.enumeration("kind", static_cast<std::uint32_t>(StreamKind::cliff_slope)));
  }
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

Result<Observation> decode_observation(const ScVec& topics, const ScVal& value) {
  if (topics.size() != topic_count) return ErrorCode::observation_unreadable;
  Observation observation;
  if (const std::string* address = topics[2].address()) observation.token = *address;
  if (value.type == ScValType::void_) {
    if (!observation.token) return ErrorCode::observation_unreadable;
    return observation;
  }
  auto stored = decode_stored_stream(value);
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
