#include "stored_entries.hpp"

#include <utility>
#include <vector>

#include "chain_events.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::indexer::test {
namespace {

constexpr std::uint32_t contract_data = 6;  // LedgerEntryType
constexpr std::uint32_t vec_type = 16;      // SCValType
constexpr std::uint32_t instance_type = 19;

void append(core::Bytes& bytes, const core::Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

void put(Storage& storage, const core::Bytes& key, const core::Bytes& value, std::uint32_t last_modified) {
  core::Bytes xdr;
  core::XdrWriter writer(xdr);
  writer.write_u32(contract_data);
  writer.write_u32(0);  // extension
  xdr.insert(xdr.end(), key.begin() + 4, key.end());
  append(xdr, value);
  storage[key] = {key, xdr, last_modified, std::nullopt};
}

core::Bytes key_of(std::uint64_t number) {
  return core::stream_ledger_key(stream_id(number)).value();
}

/// An instance with one entry of storage.
core::Bytes instance(const core::Bytes& key, const core::Bytes& value) {
  core::Bytes bytes;
  core::XdrWriter xdr(bytes);
  xdr.write_u32(instance_type);
  xdr.write_u32(1);  // the built-in asset contract
  xdr.write_bool(true);
  xdr.write_u32(1);
  append(bytes, key);
  append(bytes, value);
  return bytes;
}

core::Bytes config_key() {
  core::Bytes bytes;
  core::XdrWriter xdr(bytes);
  xdr.write_u32(vec_type);
  xdr.write_bool(true);
  xdr.write_u32(1);
  append(bytes, symbol_xdr("Config"));
  return bytes;
}

}  // namespace

void store_stream(Storage& storage, std::uint64_t number, std::uint32_t last_modified, const Stored& stored) {
  put(storage, key_of(number),
      map_xdr({{"cancelled_at", void_xdr()},
               {"checkpointed_amount", i128_xdr(stored.checkpoint_amount)},
               {"checkpointed_at", u64_xdr(stored.checkpoint_at)},
               {"cliff_time", u64_xdr(stored.cliff)},
               {"deposit_amount", i128_xdr(stored.deposit)},
               {"end_time", u64_xdr(stored.end)},
               {"kind", u32_xdr(static_cast<std::uint32_t>(stored.kind))},
               {"rate_per_second", i128_xdr(stored.rate)},
               {"recipient", address_xdr(core::sample_recipient)},
               {"sender", address_xdr(core::sample_sender)},
               {"start_time", u64_xdr(stored.start)},
               {"status", u32_xdr(static_cast<std::uint32_t>(stored.status))},
               {"stream_id", u64_xdr(number)},
               {"withdrawn_amount", i128_xdr(stored.withdrawn)}}),
      last_modified);
}

void store_nonsense(Storage& storage, std::uint64_t number, std::uint32_t last_modified) {
  put(storage, key_of(number), u32_xdr(5), last_modified);
}

void store_contract(Storage& storage, std::string_view contract) {
  put(storage, core::instance_ledger_key(contract).value(),
      instance(config_key(), map_xdr({{"token", address_xdr(core::sample_token)}})), 1);
}

void store_token(Storage& storage, std::uint32_t decimals) {
  put(storage, core::instance_ledger_key(core::sample_token).value(),
      instance(symbol_xdr("METADATA"), map_xdr({{"decimal", u32_xdr(decimals)}})), 1);
}

void remove_stream(Storage& storage, std::uint64_t number) {
  storage.erase(key_of(number));
}

}  // namespace fluxora::indexer::test
