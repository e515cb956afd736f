#pragma once

#include <cstdint>
#include <string_view>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {

/// Writes ScVals of the types that core encodes: what its own entries and the keys of ledger entries are made of.
class ScValWriter {
 public:
  explicit ScValWriter(Bytes& output) : xdr_(output) {}

  void void_value() { type(ScValType::void_); }
  void symbol(std::string_view text) {
    type(ScValType::symbol);
    xdr_.write_string(text);
  }
  void u64(std::uint64_t value) {
    type(ScValType::u64);
    xdr_.write_u64(value);
  }
  void i128(Amount amount) {
    const auto bits = static_cast<UInt128>(amount.units);
    type(ScValType::i128);
    xdr_.write_u64(static_cast<std::uint64_t>(bits >> 64));
    xdr_.write_u64(static_cast<std::uint64_t>(bits));
  }
  /// SCAddress: an account (whose key has a type of its own, ed25519) or a contract.
  void address(const StrKey& key) {
    const bool contract = key.version == StrKeyVersion::contract;
    type(ScValType::address);
    xdr_.write_u32(contract ? 1 : 0);
    if (!contract) xdr_.write_u32(0);
    xdr_.write_fixed(key.payload);
  }
  void contract_instance_key() { type(ScValType::ledger_key_contract_instance); }
  /// The head of a vec or a map that is there; its elements follow.
  void begin(ScValType vec_or_map, std::uint32_t size) {
    type(vec_or_map);
    xdr_.write_bool(true);
    xdr_.write_u32(size);
  }

 private:
  void type(ScValType value) { xdr_.write_u32(static_cast<std::uint32_t>(value)); }

  XdrWriter xdr_;
};

}  // namespace fluxora::core
