#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/result.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"

/// What the contract's own storage says of its streams, and how that enters the log. SPEC section 3, "Observation".
namespace fluxora::core {

/// The contract's `Stream` struct, as far as the fold knows it. What older contracts didn't store is none.
struct StoredStream {
  std::uint64_t number = 0;
  std::string sender;
  std::string recipient;
  Amount deposit;
  Amount rate_per_second;
  Amount withdrawn;
  UnixSeconds start_time = 0;
  UnixSeconds cliff_time = 0;
  UnixSeconds end_time = 0;
  StreamStatus status = StreamStatus::active;
  std::optional<UnixSeconds> cancelled_at;
  std::optional<StreamKind> kind;
  std::optional<Amount> checkpoint_amount;
  std::optional<UnixSeconds> checkpoint_at;
};

/// Reads the value of a storage entry `vec[symbol "Stream", u64 number]`. Unknown fields are left alone.
/// Errors: observation_unreadable (no such struct, a field missing or of another type or outside its values).
Result<StoredStream> decode_stored_stream(const ScVal& value);

/// An observation as the log keeps it: topics `observed`, the stream's number and the contract's token (void where it
/// isn't known); the value is the storage entry's own, byte for byte, or void where there is no entry any more: the
/// contract removes it when the stream is closed, and its token can still be told. SPEC knows no such observation; this
/// one is Fluxora's own. It has one of the two at least.
struct Observation {
  std::optional<StoredStream> stored;
  std::optional<std::string> token;
};

/// The topics of an observation's entry. Errors: the strkey_ codes (a token that is no address).
Result<std::vector<Bytes>> encode_observation_topics(std::uint64_t number, const std::optional<std::string>& token);

/// The value of an observation that brings the token alone: void.
Bytes encode_no_entry();

/// Errors: observation_unreadable.
Result<Observation> decode_observation(const ScVec& topics, const ScVal& value);

/// Makes `stream` what the storage says. What the contract doesn't store (settled, archived, the log's own marks)
/// stays, and all but the token where there was no entry. A completed stream has withdrawn its whole deposit, as the
/// event says it.
void apply_observation(Stream& stream, const Observation& observation);

}  // namespace fluxora::core
