#include "good_answers.hpp"

#include <cstdio>

#include "fluxora/core/ledger_key.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/xdr.hpp"
#include "stream_samples.hpp"

namespace fluxora::chain::test {
namespace {

/// When a ledger closes.
constexpr std::uint64_t closed_at(std::uint32_t ledger) {
  return 1'774'776'687 + std::uint64_t{ledger} * 5;
}

}  // namespace

std::string event_id(std::uint32_t ledger, std::uint32_t index) {
  char id[32];
  std::snprintf(id, sizeof id, "%019llu-%010u", static_cast<unsigned long long>(ledger) << 32, index);
  return id;
}

core::Hash ledger_hash(std::uint32_t sequence) {
  core::Hash hash = core::hash_of(0x1e);
  for (std::size_t i = 0; i < 4; ++i) hash[i] = static_cast<std::uint8_t>(sequence >> (8 * i));
  return hash;
}

Json health(std::uint32_t oldest, std::uint32_t latest) {
  return {
      {"status", "healthy"}, {"latestLedger", latest}, {"oldestLedger", oldest}, {"ledgerRetentionWindow", 120'960}};
}

Json event(std::uint32_t ledger, std::uint32_t index) {
  return {{"type", "contract"},
          {"ledger", ledger},
          {"ledgerClosedAt", core::format_rfc3339(closed_at(ledger))},
          {"contractId", core::sample_contract},
          {"id", event_id(ledger, index)},
          {"operationIndex", 0},
          {"transactionIndex", 1},
          {"txHash", core::hex_encode(core::hash_of(0xa1))},
          {"inSuccessfulContractCall", true},
          {"topic", Json::array({"AAAADwAAAAdjcmVhdGVkAA==", "AAAABQAAAAAAAAAH"})},
          {"value", "AAAAAQ=="}};
}

Json events_page(std::initializer_list<Json> events, std::uint32_t latest) {
  Json items = Json::array();
  for (const Json& item : events) items.push_back(item);
  const std::string cursor = items.empty() ? event_id(latest, 0) : items.back()["id"].get<std::string>();
  return {{"events", items}, {"cursor", cursor}, {"latestLedger", latest}, {"oldestLedger", 1}};
}

Json ledger(std::uint32_t sequence) {
  // LedgerHeaderHistoryEntry as far as it is read: hash, version, previous hash; and some of what follows.
  core::Bytes header;
  const core::Hash hash = ledger_hash(sequence);
  const core::Hash previous = ledger_hash(sequence - 1);
  header.insert(header.end(), hash.begin(), hash.end());
  header.insert(header.end(), {0, 0, 0, 22});
  header.insert(header.end(), previous.begin(), previous.end());
  header.insert(header.end(), 100, 0x77);
  return {{"hash", core::hex_encode(hash)},
          {"sequence", sequence},
          {"ledgerCloseTime", std::to_string(closed_at(sequence))},
          {"headerXdr", core::base64_encode(header)},
          {"metadataXdr", "AAAA"}};
}

Json ledgers_page(std::uint32_t first, std::uint32_t last) {
  Json items = Json::array();
  for (std::uint32_t sequence = first; sequence <= last; ++sequence) items.push_back(ledger(sequence));
  return {{"ledgers", items}, {"latestLedger", 1'000}, {"oldestLedger", 1}, {"cursor", std::to_string(last)}};
}

Json latest_ledger(std::uint32_t sequence) {
  return {{"id", core::hex_encode(ledger_hash(sequence))}, {"protocolVersion", 22}, {"sequence", sequence}};
}

Json stream_entry(std::uint64_t stream, std::uint32_t value, std::uint32_t modified) {
  const core::Bytes key = *core::stream_ledger_key(core::chain_stream_id(core::sample_contract, stream));
  // LedgerEntryData: the type, no extension, what its key has behind the type, the value.
  core::Bytes entry(key.begin(), key.begin() + 4);
  core::XdrWriter xdr(entry);
  xdr.write_u32(0);
  entry.insert(entry.end(), key.begin() + 4, key.end());
  xdr.write_u32(static_cast<std::uint32_t>(core::ScValType::u32));
  xdr.write_u32(value);
  return {{"key", core::base64_encode(key)},
          {"xdr", core::base64_encode(entry)},
          {"lastModifiedLedgerSeq", modified},
          {"liveUntilLedgerSeq", modified + 500}};
}

Json entries(std::initializer_list<Json> items, std::uint32_t latest) {
  Json found = Json::array();
  for (const Json& item : items) found.push_back(item);
  return {{"entries", found}, {"latestLedger", latest}};
}

}  // namespace fluxora::chain::test
