#pragma once

#include <cstdint>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/log_entry.hpp"

namespace fluxora::core {

/// What an installation holds of the chain up to a ledger, as one hash: SHA-256 over the XDR of the digest before it
/// (32 bytes), the ledger's number (u32), its hash (32 bytes) and, for each of its standing chain entries in order, the
/// event id and the contract (strings), the topics (an array of opaques) and the value (an opaque). The digest before
/// the first ledger is 32 zero bytes, and ledgers without entries are left out. It names no log position, so that
/// installations that read the same chain from the same ledger on agree. SPEC section 4, "Digest".
///
/// `entries` are the ledger's, in order; those that aren't the chain's own (is_own_entry, retractions, changes through
/// the API) and the second entry of a delegation don't count.
[[nodiscard]] Hash ledger_digest(const Hash& previous, std::uint32_t ledger, const Hash& ledger_hash,
                                 const std::vector<const LogEntry*>& entries);

}  // namespace fluxora::core
