#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/chain_tip.hpp"

namespace fluxora::ports {

/// Most keys of one read: what a Stellar RPC takes at once.
inline constexpr std::size_t max_storage_keys = 200;

/// A ledger entry as the chain holds it.
struct StorageEntry {
  core::Bytes key;  ///< LedgerKey, as XDR
  core::Bytes xdr;  ///< LedgerEntryData
  std::uint32_t last_modified_ledger = 0;
  std::optional<std::uint32_t> live_until_ledger;  ///< of contract data: the last ledger that it stands in unextended
};

/// Entries of one ledger.
struct StorageAnswer {
  std::vector<std::optional<StorageEntry>> entries;  ///< in the order of the keys; none: nothing lies there
  core::LedgerHeader ledger;                         ///< the one in which they are so
};

/// Why there is no answer.
enum class StorageFailure : std::uint8_t {
  busy,         ///< the bounded queue is full: try again soon
  unavailable,  ///< the chain's server can't be reached, or says nothing that can be believed
};
using StorageReply = std::function<void(tl::expected<StorageAnswer, StorageFailure>)>;

/// Reads what contracts hold in their storage. SPEC section 3, "Observation".
class ContractStorage {
 public:
  virtual ~ContractStorage() = default;
  /// At most max_storage_keys keys, each once. Never blocks; replies once, on a thread of the storage's.
  virtual void read(std::vector<core::Bytes> keys, StorageReply reply) = 0;
};

}  // namespace fluxora::ports
