#include "scval_encoder.hpp"

#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"
#include "require.hpp"

namespace fluxora::fuzz {
namespace {

class Encoder {
 public:
  explicit Encoder(core::Bytes& output) : xdr_(output) {}

  void value(const core::ScVal& value) {
    xdr_.write_u32(static_cast<std::uint32_t>(value.type));
    std::visit(*this, value.data);
  }

  void operator()(std::monostate) {}
  void operator()(bool flag) { xdr_.write_bool(flag); }
  void operator()(const core::ScError& error) {
    xdr_.write_u32(error.type);
    xdr_.write_u32(error.code);
  }
  void operator()(std::uint32_t number) { xdr_.write_u32(number); }
  void operator()(std::int32_t number) { xdr_.write_u32(static_cast<std::uint32_t>(number)); }
  void operator()(std::uint64_t number) { xdr_.write_u64(number); }
  void operator()(std::int64_t number) { xdr_.write_u64(static_cast<std::uint64_t>(number)); }
  void operator()(core::UInt128 number) {
    xdr_.write_u64(static_cast<std::uint64_t>(number >> 64));
    xdr_.write_u64(static_cast<std::uint64_t>(number));
  }
  void operator()(core::Int128 number) { (*this)(static_cast<core::UInt128>(number)); }
  void operator()(const core::Sc256& number) {
    for (const std::uint64_t word : number.words) xdr_.write_u64(word);
  }
  void operator()(const core::Bytes& bytes) { xdr_.write_variable(bytes); }
  void operator()(const std::string& text) { xdr_.write_string(text); }
  void operator()(const std::optional<core::ScVec>& vec) {
    xdr_.write_bool(vec.has_value());
    if (!vec) return;
    xdr_.write_u32(static_cast<std::uint32_t>(vec->size()));
    for (const core::ScVal& element : *vec) value(element);
  }
  void operator()(const std::optional<core::ScMap>& map) {
    xdr_.write_bool(map.has_value());
    if (!map) return;
    xdr_.write_u32(static_cast<std::uint32_t>(map->size()));
    for (const core::ScMapEntry& entry : *map) {
      value(entry.key);
      value(entry.value);
    }
  }
  void operator()(const core::ScAddress& address) {
    const auto key = core::decode_strkey(address.strkey);
    require(key.ok(), "a decoded address is a StrKey");
    const core::ByteView payload(key->payload);
    switch (key->version) {
      case core::StrKeyVersion::account:
        xdr_.write_u32(0);
        xdr_.write_u32(0);
        xdr_.write_fixed(payload);
        return;
      case core::StrKeyVersion::contract:
        xdr_.write_u32(1);
        xdr_.write_fixed(payload);
        return;
      case core::StrKeyVersion::muxed_account:
        xdr_.write_u32(2);
        xdr_.write_fixed(payload.subspan(32));
        xdr_.write_fixed(payload.first(32));
        return;
      case core::StrKeyVersion::claimable_balance:
        xdr_.write_u32(3);
        xdr_.write_u32(0);
        xdr_.write_fixed(payload.subspan(1));
        return;
      case core::StrKeyVersion::liquidity_pool:
        xdr_.write_u32(4);
        xdr_.write_fixed(payload);
        return;
      default: require(false, "an address is a G, C, M, B or L");
    }
  }
  void operator()(const core::ScContractInstance& instance) {
    xdr_.write_u32(instance.wasm_hash ? 0 : 1);
    if (instance.wasm_hash) xdr_.write_fixed(*instance.wasm_hash);
    (*this)(instance.storage);
  }

 private:
  core::XdrWriter xdr_;
};

}  // namespace

core::Bytes encode_scval(const core::ScVal& value) {
  core::Bytes bytes;
  Encoder(bytes).value(value);
  return bytes;
}

}  // namespace fluxora::fuzz
