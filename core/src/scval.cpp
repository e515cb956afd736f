#include "fluxora/core/scval.hpp"

#include <algorithm>

#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {
namespace {

constexpr std::size_t symbol_max_size = 32;
constexpr std::uint32_t error_type_count = 10;  // SCErrorType and SCErrorCode both have the values 0 to 9
constexpr std::uint32_t error_code_count = 10;
constexpr std::size_t min_value_size = 4;  // a void: its discriminant alone
constexpr std::size_t min_entry_size = 2 * min_value_size;
// Memory set aside before a container's elements are read. More follows only as elements do: a length is only a
// claim, and 200 nested ones could each claim the rest of the input.
constexpr std::size_t max_reserved_elements = 16;

bool is_symbol(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// Reads an SCVal and what it holds. Recursion is bounded by scval_max_depth.
class ScValDecoder {
 public:
  explicit ScValDecoder(XdrReader& reader) noexcept : reader_(reader) {}

  /// `depth` is the number of containers around the value.
  void read_value(ScVal& value, std::size_t depth) {
    const std::uint32_t type = read_discriminant(static_cast<std::uint32_t>(ScValType::ledger_key_nonce));
    if (reader_.failed()) return;
    value.type = static_cast<ScValType>(type);
    switch (value.type) {
      case ScValType::boolean: value.data = reader_.read_bool(); return;
      case ScValType::void_:
      case ScValType::ledger_key_contract_instance: return;
      case ScValType::error: value.data = read_error(); return;
      case ScValType::u32: value.data = reader_.read_u32(); return;
      case ScValType::i32: value.data = reader_.read_i32(); return;
      case ScValType::u64:
      case ScValType::timepoint:
      case ScValType::duration: value.data = reader_.read_u64(); return;
      case ScValType::i64:
      case ScValType::ledger_key_nonce: value.data = reader_.read_i64(); return;
      case ScValType::u128: value.data = read_128(); return;
      case ScValType::i128: value.data = static_cast<Int128>(read_128()); return;
      case ScValType::u256:
      case ScValType::i256: value.data = read_256(); return;
      case ScValType::bytes: value.data = read_bytes(); return;
      case ScValType::string: value.data = read_text(scval_max_size); return;
      case ScValType::symbol: value.data = read_symbol(); return;
      case ScValType::vec: read_vec(value.data.emplace<std::optional<ScVec>>(), depth + 1); return;
      case ScValType::map: read_map(value.data.emplace<std::optional<ScMap>>(), depth + 1); return;
      case ScValType::address: value.data = read_address(); return;
      case ScValType::contract_instance: read_instance(value.data.emplace<ScContractInstance>(), depth + 1); return;
    }
  }

 private:
  /// A union's arm, 0 to `last`.
  std::uint32_t read_discriminant(std::uint32_t last) noexcept {
    XdrReader ahead = reader_;  // an error is the discriminant's own place
    const std::uint32_t value = ahead.read_u32();
    if (!ahead.failed() && value > last) reader_.fail(ErrorCode::xdr_unknown_discriminant);
    return reader_.read_u32();
  }

  UInt128 read_128() noexcept {
    const UInt128 high = reader_.read_u64();
    return (high << 64) | reader_.read_u64();
  }

  Sc256 read_256() noexcept {
    Sc256 value;
    for (std::uint64_t& word : value.words) word = reader_.read_u64();
    return value;
  }

  ScError read_error() noexcept {
    ScError error;
    error.type = read_discriminant(error_type_count - 1);
    error.code = reader_.read_u32();
    if (error.type != 0 && error.code >= error_code_count) reader_.fail(ErrorCode::xdr_invalid_value);
    return error;
  }

  Bytes read_bytes() {
    const ByteView bytes = reader_.read_variable(scval_max_size);
    return {bytes.begin(), bytes.end()};
  }

  std::string read_text(std::size_t max) {
    const ByteView bytes = reader_.read_variable(max);
    return {bytes.begin(), bytes.end()};
  }

  std::string read_symbol() {
    std::string text = read_text(symbol_max_size);
    if (!is_symbol(text)) reader_.fail(ErrorCode::xdr_invalid_value);
    return text;
  }

  /// The elements that follow. A claim that the rest of the input can't hold fails here.
  std::size_t read_count(std::size_t min_size) noexcept {
    const std::uint32_t count = reader_.read_u32();
    if (count > reader_.remaining() / min_size) reader_.fail(ErrorCode::xdr_truncated);
    return reader_.failed() ? 0 : count;
  }

  bool may_nest(std::size_t depth) noexcept {
    if (depth > scval_max_depth) reader_.fail(ErrorCode::xdr_too_deep);
    return !reader_.failed();
  }

  void read_vec(std::optional<ScVec>& vec, std::size_t depth) {
    if (!may_nest(depth) || !reader_.read_bool()) return;
    const std::size_t count = read_count(min_value_size);
    vec.emplace().reserve(std::min(count, max_reserved_elements));
    for (std::size_t i = 0; i < count && !reader_.failed(); ++i) read_value(vec->emplace_back(), depth);
  }

  void read_map(std::optional<ScMap>& map, std::size_t depth) {
    if (!may_nest(depth) || !reader_.read_bool()) return;
    const std::size_t count = read_count(min_entry_size);
    map.emplace().reserve(std::min(count, max_reserved_elements));
    for (std::size_t i = 0; i < count && !reader_.failed(); ++i) {
      ScMapEntry& entry = map->emplace_back();
      read_value(entry.key, depth);
      read_value(entry.value, depth);
    }
  }

  void read_instance(ScContractInstance& instance, std::size_t depth) {
    // Arm 2 (CONTRACT_EXECUTABLE_EXTERNAL_REF) is protocol 28's, like SCV_EXECUTABLE_TAG.
    if (read_discriminant(1) == 0) {
      const ByteView hash = reader_.read_fixed(Hash{}.size());
      if (reader_.failed()) return;
      std::copy(hash.begin(), hash.end(), instance.wasm_hash.emplace().begin());
    }
    read_map(instance.storage, depth);
  }

  ScAddress read_address() {
    constexpr std::size_t key_size = 32;
    switch (read_discriminant(4)) {
      case 0:
        read_discriminant(0);  // PublicKey: ed25519 is the only type
        return strkey(StrKeyVersion::account, reader_.read_fixed(key_size));
      case 1: return strkey(StrKeyVersion::contract, reader_.read_fixed(key_size));
      case 2: {
        // The wire has the id first, the StrKey the key.
        const ByteView id = reader_.read_fixed(8);
        const ByteView key = reader_.read_fixed(key_size);
        Bytes payload(key.begin(), key.end());
        payload.insert(payload.end(), id.begin(), id.end());
        return strkey(StrKeyVersion::muxed_account, payload);
      }
      case 3: {
        read_discriminant(0);  // ClaimableBalanceID: version 0 is the only one
        const ByteView hash = reader_.read_fixed(key_size);
        Bytes payload{0};
        payload.insert(payload.end(), hash.begin(), hash.end());
        return strkey(StrKeyVersion::claimable_balance, payload);
      }
      default: return strkey(StrKeyVersion::liquidity_pool, reader_.read_fixed(key_size));
    }
  }

  ScAddress strkey(StrKeyVersion version, ByteView payload) {
    if (reader_.failed()) return {};
    return {*encode_strkey(version, payload)};  // the payload was read with the version's size
  }

  XdrReader& reader_;
};

template <class T>
const T* held(const ScVal& value, ScValType type) noexcept {
  return value.type == type ? std::get_if<T>(&value.data) : nullptr;
}

}  // namespace

const std::string* ScVal::symbol() const noexcept {
  return held<std::string>(*this, ScValType::symbol);
}

const std::string* ScVal::address() const noexcept {
  const auto* address = held<ScAddress>(*this, ScValType::address);
  return address == nullptr ? nullptr : &address->strkey;
}

const ScVec* ScVal::vec() const noexcept {
  const auto* vec = held<std::optional<ScVec>>(*this, ScValType::vec);
  return vec == nullptr || !vec->has_value() ? nullptr : &**vec;
}

const ScMap* ScVal::map() const noexcept {
  const auto* map = held<std::optional<ScMap>>(*this, ScValType::map);
  return map == nullptr || !map->has_value() ? nullptr : &**map;
}

std::optional<std::uint64_t> ScVal::u64() const noexcept {
  const auto* number = held<std::uint64_t>(*this, ScValType::u64);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<std::uint32_t> ScVal::u32() const noexcept {
  const auto* number = held<std::uint32_t>(*this, ScValType::u32);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<Amount> ScVal::i128() const noexcept {
  const auto* number = held<Int128>(*this, ScValType::i128);
  return number == nullptr ? std::nullopt : std::optional(Amount{*number});
}

const ScVal* ScVal::field(std::string_view name) const noexcept {
  const ScMap* entries = map();
  if (entries == nullptr) return nullptr;
  for (const ScMapEntry& entry : *entries) {
    const std::string* key = entry.key.symbol();
    if (key != nullptr && *key == name) return &entry.value;
  }
  return nullptr;
}

Result<ScVal> decode_scval(ByteView xdr) {
  if (xdr.size() > scval_max_size) return Error{ErrorCode::xdr_too_long, scval_max_size};
  XdrReader reader(xdr);
  ScVal value;
  ScValDecoder(reader).read_value(value, 0);
  if (!reader.failed() && reader.remaining() > 0) reader.fail(ErrorCode::xdr_trailing_bytes);
  if (reader.failed()) return reader.error();
  return value;
}

Result<ScVal> decode_scval_base64(std::string_view base64) {
  // Checked before anything is decoded, so that a long text costs nothing.
  if (base64.size() > (scval_max_size + 2) / 3 * 4) return Error{ErrorCode::xdr_too_long, scval_max_size};
  const Result<Bytes> xdr = base64_decode(base64);
  if (!xdr) return xdr.error();
  return decode_scval(*xdr);
}

}  // namespace fluxora::core
