#pragma once

#include <optional>
#include <string_view>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/result.hpp"
#include "fluxora/core/scval.hpp"

namespace fluxora::core {

/// The key of the ledger entry in which the contract holds that stream, as XDR (Stellar-ledger.x, LedgerKey):
/// persistent contract data under `vec[symbol "Stream", u64 number]`. SPEC section 3, "Observation". `stream_id` is
/// `<contractId>-<u64>`; none for every other text, an API stream's id included.
[[nodiscard]] std::optional<Bytes> stream_ledger_key(std::string_view stream_id);

/// The key of the ledger entry that holds a contract's instance: what it runs and its instance storage. None for what
/// is no contract's address.
[[nodiscard]] std::optional<Bytes> instance_ledger_key(std::string_view contract_id);

/// The value of a contract data entry, as XDR: `entry_xdr` is the LedgerEntryData that lies under `key_xdr`, both as
/// XDR, and must outlive it. Errors: xdr_invalid_value (an entry of another key, or of no contract's data),
/// xdr_truncated.
[[nodiscard]] Result<ByteView> contract_data_value(ByteView key_xdr, ByteView entry_xdr);

/// The same, decoded. Errors: those, and decode_scval's.
[[nodiscard]] Result<ScVal> decode_contract_data(ByteView key_xdr, ByteView entry_xdr);

}  // namespace fluxora::core
