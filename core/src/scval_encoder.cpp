#include "fluxora/core/scval.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {
namespace {

/// Appends values as ScValDecoder reads them. What an arm can't be decoded from is the caller's to avoid.
class ScValEncoder {
 public:
  explicit ScValEncoder(Bytes& output) : xdr_(output) {}

  void write_value(const ScVal& value) {
    xdr_.write_u32(static_cast<std::uint32_t>(value.type));
    std::visit([this](const auto& data) { write(data); }, value.data);
  }

 private:
  void write(std::monostate) {}
  void write(bool value) { xdr_.write_bool(value); }
  void write(const ScError& error) {
    xdr_.write_u32(error.type);
    xdr_.write_u32(error.code);
  }
  void write(std::uint32_t value) { xdr_.write_u32(value); }
  void write(std::int32_t value) { xdr_.write_u32(static_cast<std::uint32_t>(value)); }
  void write(std::uint64_t value) { xdr_.write_u64(value); }
  void write(std::int64_t value) { xdr_.write_u64(static_cast<std::uint64_t>(value)); }
  void write(UInt128 value) {
    xdr_.write_u64(static_cast<std::uint64_t>(value >> 64));
    xdr_.write_u64(static_cast<std::uint64_t>(value));
  }
  void write(Int128 value) { write(static_cast<UInt128>(value)); }
  void write(const Sc256& value) {
    for (const std::uint64_t word : value.words) xdr_.write_u64(word);
  }
  void write(const Bytes& bytes) { xdr_.write_variable(bytes); }
  void write(const std::string& text) { xdr_.write_string(text); }

  void write(const std::optional<ScVec>& vec) {
    xdr_.write_bool(vec.has_value());
    if (!vec) return;
    xdr_.write_u32(static_cast<std::uint32_t>(vec->size()));
    for (const ScVal& element : *vec) write_value(element);
  }

  void write(const std::optional<ScMap>& map) {
    xdr_.write_bool(map.has_value());
    if (!map) return;
    xdr_.write_u32(static_cast<std::uint32_t>(map->size()));
    for (const ScMapEntry& entry : *map) {
      write_value(entry.key);
      write_value(entry.value);
    }
  }

  void write(const ScContractInstance& instance) {
    xdr_.write_u32(instance.wasm_hash ? 0 : 1);
    if (instance.wasm_hash) xdr_.write_fixed(*instance.wasm_hash);
    write(instance.storage);
  }

  void write(const ScAddress& address) {
    constexpr std::uint32_t no_arm = ~std::uint32_t{0};
    const Result<StrKey> key = decode_strkey(address.strkey);
    if (!key) return xdr_.write_u32(no_arm);
    const ByteView payload(key->payload);
    switch (key->version) {
      case StrKeyVersion::account: write_arm(0, 0u, payload); return;
      case StrKeyVersion::contract: write_arm(1, std::nullopt, payload); return;
      case StrKeyVersion::muxed_account:
        // The StrKey has the key first, the wire the id.
        write_arm(2, std::nullopt, payload.subspan(32));
        xdr_.write_fixed(payload.first(32));
        return;
      case StrKeyVersion::claimable_balance: write_arm(3, payload[0], payload.subspan(1)); return;
      case StrKeyVersion::liquidity_pool: write_arm(4, std::nullopt, payload); return;
      default: xdr_.write_u32(no_arm);
    }
  }

  /// An SCAddress: its arm, where the arm's key has types of its own that type, and the key.
  void write_arm(std::uint32_t arm, std::optional<std::uint32_t> key_type, ByteView key) {
    xdr_.write_u32(arm);
    if (key_type) xdr_.write_u32(*key_type);
    xdr_.write_fixed(key);
  }

  XdrWriter xdr_;
};

}  // namespace

Bytes encode_scval(const ScVal& value) {
  Bytes xdr;
  ScValEncoder(xdr).write_value(value);
  return xdr;
}

}  // namespace fluxora::core
