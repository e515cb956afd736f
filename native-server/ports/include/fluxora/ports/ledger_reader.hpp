#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/store_result.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::ports {

/// What is held of the chain up to a ledger.
struct HeldLedger {
  std::uint32_t first = 0;  ///< digests are of the ledgers from here on
  std::uint32_t last = 0;   ///< the checkpoint
  std::string contracts;    ///< whose events are held: sorted, comma separated, or "*"
  std::optional<core::Hash> hash;
  std::optional<core::UnixSeconds> closed_at;  ///< like the hash, where the ledger's header is held
  core::Hash digest{};                         ///< core's ledger_digest up to here; zeros where no ledger has one
  std::optional<std::uint32_t> digest_ledger;  ///< the ledger that it is of: the nearest one with events
};

struct LedgerAnswer {
  std::optional<HeldLedger> held;  ///< none: the ledger isn't between the first and the last
  ReadPoint at;
};

/// Reads what is held of ledgers, without blocking the caller.
class LedgerReader {
 public:
  virtual ~LedgerReader() = default;
  /// `min_seq` as StreamReader has it.
  virtual void up_to(std::uint32_t ledger, std::uint64_t min_seq, Reply<LedgerAnswer> reply) = 0;
};

}  // namespace fluxora::ports
