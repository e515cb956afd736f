#include "fluxora/core/ledger_key.hpp"

#include <algorithm>
#include <cstdint>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"
#include "scval_writer.hpp"

namespace fluxora::core {
namespace {

// Discriminants of Stellar-ledger-entries.x and Stellar-contract.x.
constexpr std::uint32_t contract_data = 6;  // LedgerEntryType
constexpr std::uint32_t contract_address = 1;
constexpr std::uint32_t persistent = 1;  // ContractDataDurability
constexpr std::size_t discriminant_size = 4;

/// The key of a contract's persistent data, under the ScVal that `write_key` writes.
template <class WriteKey>
std::optional<Bytes> contract_data_key(std::string_view contract_id, WriteKey write_key) {
  if (!is_contract_id(contract_id)) return std::nullopt;
  const Result<StrKey> contract = decode_strkey(contract_id);
  Bytes key;
  XdrWriter xdr(key);
  xdr.write_u32(contract_data);
  xdr.write_u32(contract_address);
  xdr.write_fixed(contract->payload);
  write_key(ScValWriter(key));
  xdr.write_u32(persistent);
  return key;
}

}  // namespace

std::optional<Bytes> stream_ledger_key(std::string_view stream_id) {
  const std::size_t dash = stream_id.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto number = parse_u64(stream_id.substr(dash + 1));
  if (!number) return std::nullopt;
  return contract_data_key(stream_id.substr(0, dash), [&](ScValWriter value) {
    value.begin(ScValType::vec, 2);
    value.symbol("Stream");
    value.u64(*number);
  });
}

std::optional<Bytes> instance_ledger_key(std::string_view contract_id) {
  return contract_data_key(contract_id, [](ScValWriter value) { value.contract_instance_key(); });
}

Result<ByteView> contract_data_value(ByteView key_xdr, ByteView entry_xdr) {
  XdrReader entry(entry_xdr);
  const std::uint32_t type = entry.read_u32();
  const std::uint32_t extension = entry.read_u32();
  if (entry.failed()) return entry.error();
  if (type != contract_data || extension != 0) return ErrorCode::xdr_invalid_value;
  // Contract, key and durability stand in the entry as they do in its key, behind the type.
  if (key_xdr.size() < discriminant_size) return ErrorCode::xdr_truncated;
  const ByteView identity = key_xdr.subspan(discriminant_size);
  const ByteView rest = entry_xdr.subspan(entry.offset());
  if (rest.size() < identity.size() || !std::equal(identity.begin(), identity.end(), rest.begin())) {
    return ErrorCode::xdr_invalid_value;
  }
  return rest.subspan(identity.size());
}

Result<ScVal> decode_contract_data(ByteView key_xdr, ByteView entry_xdr) {
  const Result<ByteView> value = contract_data_value(key_xdr, entry_xdr);
  if (!value) return value.error();
  return decode_scval(*value);
}

}  // namespace fluxora::core
