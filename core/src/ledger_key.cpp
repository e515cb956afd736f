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

}  // namespace

std::optional<Bytes> stream_ledger_key(std::string_view stream_id) {
  const std::size_t dash = stream_id.find('-');
  if (dash == std::string_view::npos || !is_contract_id(stream_id.substr(0, dash))) return std::nullopt;
  const auto number = parse_u64(stream_id.substr(dash + 1));
  if (!number) return std::nullopt;
  const Result<StrKey> contract = decode_strkey(stream_id.substr(0, dash));

  Bytes key;
  XdrWriter xdr(key);
  xdr.write_u32(contract_data);
  xdr.write_u32(contract_address);
  xdr.write_fixed(contract->payload);
  ScValWriter value(key);
  value.begin(ScValType::vec, 2);
  value.symbol("Stream");
  value.u64(*number);
  xdr.write_u32(persistent);
  return key;
}

Result<ScVal> decode_contract_data(ByteView key_xdr, ByteView entry_xdr) {
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
  return decode_scval(rest.subspan(identity.size()));
}

}  // namespace fluxora::core
