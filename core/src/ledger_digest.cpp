#include "fluxora/core/ledger_digest.hpp"

#include "fluxora/core/log_fold.hpp"
#include "fluxora/core/sha256.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {
namespace {

bool is_of_chain(const LogEntry& entry) {
  return !entry.contract_id.empty() && !is_own_entry(entry.event) && entry.event != EventName::stream_retracted;
}

}  // namespace

Hash ledger_digest(const Hash& previous, std::uint32_t ledger, const Hash& ledger_hash,
                   const std::vector<const LogEntry*>& entries) {
  Bytes bytes;
  XdrWriter xdr(bytes);
  xdr.write_fixed(previous);
  xdr.write_u32(ledger);
  xdr.write_fixed(ledger_hash);
  const LogEntry* last = nullptr;
  for (const LogEntry* entry : entries) {
    if (!is_of_chain(*entry)) continue;
    if (last != nullptr && last->event_id == entry->event_id && last->contract_id == entry->contract_id) continue;
    last = entry;
    xdr.write_string(entry->event_id);
    xdr.write_string(entry->contract_id);
    xdr.write_u32(static_cast<std::uint32_t>(entry->topics_xdr.size()));
    for (const Bytes& topic : entry->topics_xdr) xdr.write_variable(topic);
    xdr.write_variable(entry->value_xdr);
  }
  return sha256(bytes);
}

}  // namespace fluxora::core
