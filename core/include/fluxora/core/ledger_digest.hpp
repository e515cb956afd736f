#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "fluxora/core/bytes.hpp"

namespace fluxora::core {

/// What the chain says in one event, as digests take it. It refers to the event, which must outlive it.
struct ChainRecord {
  std::string_view event_id;
  std::string_view contract_id;
  const std::vector<Bytes>& topics_xdr;
  const Bytes& value_xdr;
};

/// What an installation holds of the chain up to a ledger, as one hash: SHA-256 over the XDR of the digest before it
/// (32 bytes), the ledger's number (u32), its hash (32 bytes) and, for each of its events in order, the event id and
/// the contract (strings), the topics (an array of opaques) and the value (an opaque). The digest before the first
/// ledger is 32 zero bytes, and ledgers without events are left out. It names no log position, and nothing that isn't
/// the chain's (observations, time, changes through the API), so that installations that read the same chain from the
/// same ledger on agree. SPEC section 4, "Digest".
[[nodiscard]] Hash ledger_digest(const Hash& previous, std::uint32_t ledger, const Hash& ledger_hash,
                                 const std::vector<ChainRecord>& events);

}  // namespace fluxora::core
