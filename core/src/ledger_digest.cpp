#include "fluxora/core/ledger_digest.hpp"

#include "fluxora/core/sha256.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {

Hash ledger_digest(const Hash& previous, std::uint32_t ledger, const Hash& ledger_hash,
                   const std::vector<ChainRecord>& events) {
  Bytes bytes;
  XdrWriter xdr(bytes);
  xdr.write_fixed(previous);
  xdr.write_u32(ledger);
  xdr.write_fixed(ledger_hash);
  for (const ChainRecord& event : events) {
    xdr.write_string(event.event_id);
    xdr.write_string(event.contract_id);
    xdr.write_u32(static_cast<std::uint32_t>(event.topics_xdr.size()));
    for (const Bytes& topic : event.topics_xdr) xdr.write_variable(topic);
    xdr.write_variable(event.value_xdr);
  }
  return sha256(bytes);
}

}  // namespace fluxora::core
