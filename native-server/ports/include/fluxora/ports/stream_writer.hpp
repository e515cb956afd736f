#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// What makes a repeated creation the same one. SPEC section 5, "Idempotency-Key".
struct IdempotencyKey {
  std::string caller;
  std::string key;
  core::Hash body_hash{};  ///< SHA-256 of the body as received: two requests are the same when their bytes are
};

struct StreamCreation {
  std::string id;  ///< `api-<uuid v7>`, never used before
  core::StreamCreated terms;
  core::UnixSeconds now = 0;
  std::optional<IdempotencyKey> idempotency;
  AuditRecord by;           ///< who, from where; the store adds action, target and detail
  std::string traceparent;  ///< the request's: whose trace its deliveries go on; may be empty
};

enum class StreamAction : std::uint8_t { pause, resume, cancel };

/// What a caller's If-Match names.
struct StreamVersion {
  std::string epoch;
  std::uint64_t version = 0;
};

struct StreamChange {
  std::string id;  ///< of an API stream
  StreamAction action = StreamAction::pause;
  core::UnixSeconds now = 0;
  std::optional<std::vector<StreamVersion>> only_if;  ///< the stream is at one of these; none: whatever it is at
  AuditRecord by;                                     ///< as in StreamCreation
  std::string traceparent;                            ///< as in StreamCreation
};

/// A stream as a write left it, and what its answer is computed from.
struct WrittenStream {
  core::Stream stream;
  std::string epoch;
  core::UnixSeconds as_of = 0;
  bool replayed = false;  ///< a repeated creation: the first one's answer
};

/// Why a write did nothing.
enum class WriteRefusal : std::uint8_t {
  unknown_stream,
  final_stream,      ///< completed or cancelled
  version_mismatch,  ///< the stream is at none of only_if's versions
  key_reused,        ///< the key stands for another body
  key_in_use,        ///< a request with this key is still running: try again
};
using WriteAnswer = tl::expected<WrittenStream, WriteRefusal>;

/// Writes streams of the API: each change is an entry of the log, its fold and its record in the audit log, in one
/// transaction. Never blocks the caller. StoreFailure::unavailable can also mean that nobody knows whether the database
/// has committed: only a creation with a key can be repeated safely then.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  virtual void create(StreamCreation creation, Reply<WriteAnswer> reply) = 0;
  /// Resuming an active stream or pausing a paused one adds no entry, leaves no record and gives the stream as it is.
  virtual void change(StreamChange change, Reply<WriteAnswer> reply) = 0;
  /// What a creation with that key was answered: its stream, or key_reused. None: there was no such creation.
  virtual void find_creation(IdempotencyKey key, Reply<std::optional<WriteAnswer>> reply) = 0;
};

}  // namespace fluxora::ports
