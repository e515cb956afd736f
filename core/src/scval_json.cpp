#include "fluxora/core/scval_json.hpp"

#include <array>

#include "fluxora/core/decimal.hpp"

namespace fluxora::core {
namespace {

/// Every digit of a 256-bit number: 2^256 has 78.
class WideDecimal {
 public:
  /// `words` is a magnitude, most significant first.
  WideDecimal(std::array<std::uint64_t, 4> words, bool negative) noexcept {
    constexpr std::uint64_t ten_to_19 = 10'000'000'000'000'000'000u;  // the largest power of ten in 64 bits
    bool more = true;
    while (more) {
      std::uint64_t chunk = 0;
      more = false;
      for (std::uint64_t& word : words) {
        const UInt128 dividend = (UInt128{chunk} << 64) | word;
        word = static_cast<std::uint64_t>(dividend / ten_to_19);
        chunk = static_cast<std::uint64_t>(dividend % ten_to_19);
        more = more || word != 0;
      }
      // The last chunk has no leading zeros, but a lone 0 keeps its digit.
      for (int digit = 0; digit < 19 && (more || chunk != 0 || begin_ == buffer_.size()); ++digit, chunk /= 10) {
        buffer_[--begin_] = static_cast<char>('0' + chunk % 10);
      }
    }
    if (negative) buffer_[--begin_] = '-';
  }
  [[nodiscard]] std::string_view view() const noexcept { return {buffer_.data() + begin_, buffer_.size() - begin_}; }

 private:
  std::array<char, 80> buffer_{};
  std::size_t begin_ = buffer_.size();
};

void write_u128(JsonWriter& json, UInt128 value) {
  json.string(
      WideDecimal({0, 0, static_cast<std::uint64_t>(value >> 64), static_cast<std::uint64_t>(value)}, false).view());
}

void write_256(JsonWriter& json, const Sc256& value, bool is_signed) {
  std::array<std::uint64_t, 4> words{value.words[0], value.words[1], value.words[2], value.words[3]};
  const bool negative = is_signed && words[0] >> 63 != 0;
  if (negative) {
    // Two's complement: invert and add one, from the least significant word up.
    bool carry = true;
    for (std::size_t i = words.size(); i > 0; --i) {
      words[i - 1] = ~words[i - 1] + (carry ? 1u : 0u);
      carry = carry && words[i - 1] == 0;
    }
  }
  json.string(WideDecimal(words, negative).view());
}

/// SEP-51, "String": printable ASCII as it is, every other byte escaped. The JSON writer escapes the result again.
std::string escape(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    switch (c) {
      case '\0': text += "\\0"; break;
      case '\t': text += "\\t"; break;
      case '\n': text += "\\n"; break;
      case '\r': text += "\\r"; break;
      case '\\': text += "\\\\"; break;
      default:
        if (c >= 0x20 && c <= 0x7e) {
          text += c;
        } else {
          const auto byte = static_cast<std::uint8_t>(c);
          text += "\\x";
          text += hex[byte >> 4];
          text += hex[byte & 0x0f];
        }
    }
  }
  return text;
}

constexpr std::array<std::string_view, 10> error_types{"contract", "wasm_vm", "context", "storage", "object",
                                                       "crypto",   "events",  "budget",  "value",   "auth"};
constexpr std::array<std::string_view, 10> error_codes{
    "arith_domain",   "index_bounds",   "invalid_input",  "missing_value",   "existing_value",
    "exceeded_limit", "invalid_action", "internal_error", "unexpected_type", "unexpected_size"};

/// The enum's name; its number where it has none, which no decoded value does.
std::string name_of(const std::array<std::string_view, 10>& names, std::uint32_t number) {
  return number < names.size() ? std::string(names[number]) : format_units(number);
}

void write_map(JsonWriter& json, const std::optional<ScMap>& map) {
  if (!map) {
    json.null();
    return;
  }
  json.begin_array();
  for (const ScMapEntry& entry : *map) {
    json.begin_object().key("key");
    write_scval_json(json, entry.key);
    json.key("val");
    write_scval_json(json, entry.value);
    json.end_object();
  }
  json.end_array();
}

void write_vec(JsonWriter& json, const std::optional<ScVec>& vec) {
  if (!vec) {
    json.null();
    return;
  }
  json.begin_array();
  for (const ScVal& element : *vec) write_scval_json(json, element);
  json.end_array();
}

void write_error(JsonWriter& json, const ScError& error) {
  json.begin_object().key(name_of(error_types, error.type));
  if (error.type == 0) {
    json.unsigned_integer(error.code);
  } else {
    json.string(name_of(error_codes, error.code));
  }
  json.end_object();
}

void write_instance(JsonWriter& json, const ScContractInstance& instance) {
  json.begin_object().key("executable");
  if (instance.wasm_hash) {
    json.begin_object().key("wasm").string(hex_encode(*instance.wasm_hash)).end_object();
  } else {
    json.string("stellar_asset");
  }
  json.key("storage");
  write_map(json, instance.storage);
  json.end_object();
}

std::string_view arm_name(ScValType type) noexcept {
  switch (type) {
    case ScValType::boolean: return "bool";
    case ScValType::void_: return "void";
    case ScValType::error: return "error";
    case ScValType::u32: return "u32";
    case ScValType::i32: return "i32";
    case ScValType::u64: return "u64";
    case ScValType::i64: return "i64";
    case ScValType::timepoint: return "timepoint";
    case ScValType::duration: return "duration";
    case ScValType::u128: return "u128";
    case ScValType::i128: return "i128";
    case ScValType::u256: return "u256";
    case ScValType::i256: return "i256";
    case ScValType::bytes: return "bytes";
    case ScValType::string: return "string";
    case ScValType::symbol: return "symbol";
    case ScValType::vec: return "vec";
    case ScValType::map: return "map";
    case ScValType::address: return "address";
    case ScValType::contract_instance: return "contract_instance";
    case ScValType::ledger_key_contract_instance: return "ledger_key_contract_instance";
    case ScValType::ledger_key_nonce: return "ledger_key_nonce";
  }
  return "unknown";
}

/// Writes by what the value holds; `type` decides only where two arms hold the same.
struct DataWriter {
  JsonWriter& json;
  ScValType type;

  void operator()(std::monostate) const { json.null(); }
  void operator()(bool value) const { json.boolean(value); }
  void operator()(const ScError& value) const { write_error(json, value); }
  void operator()(std::uint32_t value) const { json.unsigned_integer(value); }
  void operator()(std::int32_t value) const { json.integer(value); }
  void operator()(std::uint64_t value) const { json.string(format_units(value)); }
  void operator()(std::int64_t value) const {
    if (type == ScValType::ledger_key_nonce) {
      json.begin_object().key("nonce").string(format_units(value)).end_object();
    } else {
      json.string(format_units(value));
    }
  }
  void operator()(UInt128 value) const { write_u128(json, value); }
  void operator()(Int128 value) const { json.string(format_units(value)); }
  void operator()(const Sc256& value) const { write_256(json, value, type == ScValType::i256); }
  void operator()(const Bytes& value) const { json.string(hex_encode(value)); }
  void operator()(const std::string& value) const { json.string(escape(value)); }
  void operator()(const std::optional<ScVec>& value) const { write_vec(json, value); }
  void operator()(const std::optional<ScMap>& value) const { write_map(json, value); }
  void operator()(const ScAddress& value) const { json.string(value.strkey); }
  void operator()(const ScContractInstance& value) const { write_instance(json, value); }
};

}  // namespace

void write_scval_json(JsonWriter& json, const ScVal& value) {
  if (value.type == ScValType::void_ || value.type == ScValType::ledger_key_contract_instance) {
    json.string(arm_name(value.type));
    return;
  }
  json.begin_object().key(arm_name(value.type));
  std::visit(DataWriter{json, value.type}, value.data);
  json.end_object();
}

}  // namespace fluxora::core
