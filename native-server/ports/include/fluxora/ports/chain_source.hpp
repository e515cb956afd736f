#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/chain_tip.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/contract_storage.hpp"

namespace fluxora::ports {

using core::LedgerHeader;

/// Most bytes of a topic or a value, as XDR: far above the chain's own limits. Sources give, and stores read, no more.
inline constexpr std::size_t max_event_value_bytes = 512 * 1024;

/// A contract event as the chain recorded it; XDR is kept byte for byte.
struct ChainEvent {
  std::string event_id;  ///< TOID and index, as the RPC writes it; sorts as text
  std::string contract_id;
  std::uint32_t ledger = 0;
  core::UnixSeconds closed_at = 0;
  core::Hash tx_hash{};
  bool in_successful_call = true;
  std::vector<core::Bytes> topics_xdr;
  core::Bytes value_xdr;
};

/// What the source holds: ledgers oldest..latest, both included.
struct LedgerWindow {
  std::uint32_t oldest = 0;
  std::uint32_t latest = 0;
};

struct EventBatch {
  std::vector<ChainEvent> events;      ///< ascending by event id, all of the ledgers first..complete_through
  std::uint32_t complete_through = 0;  ///< the last ledger whose events are all here
  LedgerWindow window;
};

/// Why the chain source has no answer.
class ChainError : public std::runtime_error {
 public:
  enum class Kind {
    unreachable,     ///< no connection, a timeout, an HTTP error: try again
    nonsense,        ///< an answer that can't be right: try again
    outside_window,  ///< the ledgers asked for aren't held (any more)
    cancelled,       ///< the process is ending
  };
  ChainError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ChainError(Kind kind, const std::string& message, std::chrono::milliseconds retry_in)
      : std::runtime_error(message), kind_(kind), retry_in_(retry_in) {}
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// When the source is worth asking again, where that is known.
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_in() const noexcept { return retry_in_; }

 private:
  Kind kind_;
  std::optional<std::chrono::milliseconds> retry_in_;
};

/// Reads one Stellar network. Blocking; one thread at a time but for cancel(). Every call throws ChainError.
class ChainSource {
 public:
  virtual ~ChainSource() = default;

  virtual std::string network_passphrase() = 0;
  virtual LedgerWindow window() = 0;

  /// The followed contracts' events of the ledgers first..last or, where that is more than one answer holds, of a
  /// prefix of them that has at least one ledger.
  virtual EventBatch events(std::uint32_t first, std::uint32_t last) = 0;

  /// Headers of first..last, ascending, all of them.
  virtual std::vector<LedgerHeader> ledgers(std::uint32_t first, std::uint32_t last) = 0;

  /// What lies under these keys of contract data, all of it in one ledger, whose hash was the same before and after. At
  /// most max_storage_keys keys, each once. Kind::unreachable also when the source's ledgers don't stay for long enough
  /// to be sure.
  virtual StorageAnswer contract_data(const std::vector<core::Bytes>& keys) = 0;

  /// Ends the call under way and every later one with Kind::cancelled. From any thread.
  virtual void cancel() noexcept = 0;
};

}  // namespace fluxora::ports
