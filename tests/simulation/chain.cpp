#include "chain.hpp"

#include <cstdio>
#include <iterator>
#include <utility>

#include "fluxora/core/bytes.hpp"

namespace fluxora::simulation {
namespace {

core::Hash random_hash(Random& random) {
  core::Hash hash;
  for (std::uint8_t& byte : hash) byte = static_cast<std::uint8_t>(random.next());
  return hash;
}

std::string event_id(std::uint32_t ledger, std::uint32_t transaction, std::uint32_t index) {
  char id[32];
  const unsigned long long toid = (static_cast<unsigned long long>(ledger) << 32) | (transaction << 12);
  std::snprintf(id, sizeof id, "%019llu-%010u", toid, index);
  return id;
}

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

std::string event_json(const ports::ChainEvent& event) {
  std::string topics;
  for (const core::Bytes& topic : event.topics_xdr) {
    topics += (topics.empty() ? "" : ",") + quoted(core::base64_encode(topic));
  }
  return R"({"type":"contract","ledger":)" + std::to_string(event.ledger) + R"(,"ledgerClosedAt":)" +
         quoted(core::format_rfc3339(event.closed_at)) + R"(,"contractId":)" + quoted(event.contract_id) + R"(,"id":)" +
         quoted(event.event_id) + R"(,"operationIndex":0,"transactionIndex":1,"txHash":)" +
         quoted(core::hex_encode(event.tx_hash)) + R"(,"inSuccessfulContractCall":)" +
         (event.in_successful_call ? "true" : "false") + R"(,"topic":[)" + topics + R"(],"value":)" +
         quoted(core::base64_encode(event.value_xdr)) + "}";
}

std::string header_json(const core::LedgerHeader& header) {
  // LedgerHeaderHistoryEntry as far as it is read: hash, version, previous hash.
  core::Bytes xdr(header.hash.begin(), header.hash.end());
  xdr.insert(xdr.end(), {0, 0, 0, 22});
  xdr.insert(xdr.end(), header.previous_hash->begin(), header.previous_hash->end());
  return R"({"hash":)" + quoted(core::hex_encode(header.hash)) + R"(,"sequence":)" + std::to_string(header.sequence) +
         R"(,"ledgerCloseTime":)" + quoted(std::to_string(header.closed_at)) + R"(,"headerXdr":)" +
         quoted(core::base64_encode(xdr)) + R"(,"metadataXdr":"AAAA"})";
}

}  // namespace

Chain::Chain(Random& random, std::uint32_t first, core::UnixSeconds closed_at, bool kinds, std::uint64_t missed)
    : misses(missed), random_(random) {
  Ledger root;
  root.state.kinds = kinds;
  root.state.all_is_told = misses == 0 && !kinds;
  root.header = {first - 1, random_hash(random_), random_hash(random_), closed_at};
  add(std::move(root));
}

const Ledger* Chain::grow(const Ledger* parent, core::UnixSeconds seconds, std::uint64_t transactions,
                          const std::string& network) {
  Ledger ledger;
  ledger.parent = parent;
  ledger.network = network;
  ledger.state = parent->state;
  ledger.header = {parent->header.sequence + 1, random_hash(random_), parent->header.hash,
                   parent->header.closed_at + seconds};
  for (std::uint32_t transaction = 1; transaction <= transactions; ++transaction) {
    // A transaction that a fork includes again has the hash and the ids that it had, and may come to something else.
    core::Hash tx_hash{};
    tx_hash[0] = static_cast<std::uint8_t>(ledger.header.sequence);
    tx_hash[1] = static_cast<std::uint8_t>(transaction);
    std::uint32_t index = 0;
    for (Happening& happening : act(ledger.state, random_, ledger.header.closed_at, ledger.header.sequence)) {
      happening.event.event_id = event_id(ledger.header.sequence, transaction, index++);
      happening.event.ledger = ledger.header.sequence;
      happening.event.closed_at = ledger.header.closed_at;
      happening.event.tx_hash = tx_hash;
      // Not of creations, without which nothing that follows could be told.
      const bool changes = happening.folds && happening.name == core::EventName::stream_updated;
      happening.missed = changes && happening.child_id.empty() && random_.permille(misses);
      ledger.happenings.push_back(std::move(happening));
    }
  }
  return add(std::move(ledger));
}

const Ledger* Chain::add(Ledger ledger) {
  for (const Happening& happening : ledger.happenings) ledger.events_json.push_back(event_json(happening.event));
  ledger.header_json = header_json(ledger.header);
  const Ledger* added = &ledgers_.emplace_back(std::move(ledger));
  by_hash_.emplace(added->header.hash, added);
  return added;
}

const Ledger* Chain::find(const core::Hash& hash) const {
  const auto found = by_hash_.find(hash);
  return found == by_hash_.end() ? nullptr : found->second;
}

const Ledger* ledger_at(const Ledger* tip, std::uint32_t sequence) {
  while (tip != nullptr && tip->header.sequence > sequence) tip = tip->parent;
  return tip != nullptr && tip->header.sequence == sequence ? tip : nullptr;
}

bool is_on_chain(const Ledger* tip, const Ledger* ledger) {
  return ledger_at(tip, ledger->header.sequence) == ledger;
}

}  // namespace fluxora::simulation
