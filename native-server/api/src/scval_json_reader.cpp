#include "scval_json_reader.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/strkey.hpp"
#include "problem.hpp"

namespace fluxora::api {
namespace {

using Json = nlohmann::json;
using core::ScVal;
using Type = core::ScValType;

/// An integer of any of XDR's widths, as sign and magnitude; the most significant word first.
struct WideInteger {
  bool negative = false;
  core::Sc256 magnitude;
};

/// `^-?[0-9]+$` in canonical form: no leading zeros, no "-0". None for other forms and for what 256 bits don't hold.
std::optional<WideInteger> parse_integer(std::string_view text) {
  WideInteger number;
  if (!text.empty() && text[0] == '-') {
    number.negative = true;
    text.remove_prefix(1);
  }
  if (text.empty() || (text[0] == '0' && (text.size() > 1 || number.negative))) return std::nullopt;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    core::UInt128 carry = static_cast<unsigned>(digit - '0');
    for (std::size_t i = 4; i > 0; --i) {
      std::uint64_t& word = number.magnitude.words[i - 1];
      carry += core::UInt128{word} * 10;
      word = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    if (carry != 0) return std::nullopt;
  }
  return number;
}

/// Two's complement of 256 bits.
core::Sc256 negated(const core::Sc256& value) {
  core::Sc256 result;
  bool carry = true;
  for (std::size_t i = 4; i > 0; --i) {
    result.words[i - 1] = ~value.words[i - 1] + (carry ? 1U : 0U);
    carry = carry && result.words[i - 1] == 0;
  }
  return result;
}

/// The number in two's complement, where an integer of so many bits (a multiple of 64) has it.
std::optional<core::Sc256> integer_of(std::string_view text, unsigned bits, bool is_signed) {
  const auto number = parse_integer(text);
  if (!number || (number->negative && !is_signed)) return std::nullopt;
  const core::Sc256 words = number->negative ? negated(number->magnitude) : number->magnitude;
  const std::size_t unused = 4 - bits / 64;
  const std::uint64_t sign = is_signed ? words.words[unused] >> 63 : 0;
  if (is_signed && (sign != 0) != number->negative) return std::nullopt;
  const std::uint64_t filler = sign != 0 ? std::numeric_limits<std::uint64_t>::max() : 0;
  for (std::size_t i = 0; i < unused; ++i) {
    if (words.words[i] != filler) return std::nullopt;
  }
  return words;
}

core::UInt128 low_128(const core::Sc256& value) {
  return (core::UInt128{value.words[2]} << 64) | value.words[3];
}

/// SEP-51, "String": printable ASCII as it is, every other byte escaped. None for anything else.
std::optional<std::string> unescape(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c < ' ' || c > '~') return std::nullopt;
    if (c != '\\') {
      bytes += c;
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case '0': bytes += '\0'; break;
      case 't': bytes += '\t'; break;
      case 'n': bytes += '\n'; break;
      case 'r': bytes += '\r'; break;
      case '\\': bytes += '\\'; break;
      case 'x': {
        const auto byte = core::hex_decode(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1) return std::nullopt;
        bytes += static_cast<char>(byte->front());
        i += 2;
        break;
      }
      default: return std::nullopt;
    }
  }
  return bytes;
}

constexpr std::array<std::string_view, 10> error_types{"contract", "wasm_vm", "context", "storage", "object",
                                                       "crypto",   "events",  "budget",  "value",   "auth"};
constexpr std::array<std::string_view, 10> error_codes{
    "arith_domain",   "index_bounds",   "invalid_input",  "missing_value",   "existing_value",
    "exceeded_limit", "invalid_action", "internal_error", "unexpected_type", "unexpected_size"};

std::optional<std::uint32_t> place_of(const std::array<std::string_view, 10>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - names.begin());
}

/// Reads SEP-51. What is wrong first is kept; after it nothing more is read. The body's limit bounds the recursion.
class ScValReader {
 public:
  std::optional<ScVal> read(const Json& json) {
    ScVal value;
    read_value(json, value);
    if (!problem_.empty()) return std::nullopt;
    return value;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Arm {
    std::string_view name;
    void (ScValReader::*read)(const Json&, ScVal&);
    Type type;
  };
  static const std::array<Arm, 20>& arms();

  void fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
  }

  void read_value(const Json& json, ScVal& value) {
    if (const auto* name = json.get_ptr<const std::string*>()) return read_void(*name, value);
    if (!json.is_object() || json.size() != 1) {
      return fail("must say each value's type, as SEP-51 does: an object of one member, such as {\"u64\":\"7\"}.");
    }
    const auto member = json.begin();
    const auto arm = std::find_if(arms().begin(), arms().end(), [&](const Arm& a) { return a.name == member.key(); });
    if (arm == arms().end()) return fail("has no such type: " + shown_name(member.key()) + ".");
    value.type = arm->type;
    (this->*arm->read)(*member, value);
  }

  void read_void(const std::string& name, ScVal& value) {
    if (name == "void") {
      value.type = Type::void_;
    } else if (name == "ledger_key_contract_instance") {
      value.type = Type::ledger_key_contract_instance;
    } else {
      fail("has a text without a type where a value belongs: " + shown_name(name) + ".");
    }
  }

  void read_bool(const Json& json, ScVal& value) {
    if (!json.is_boolean()) return fail("has a bool that is neither true nor false.");
    value.data = json.get<bool>();
  }

  void read_u32(const Json& json, ScVal& value) {
    if (const auto number = small_number(json)) {
      value.data = *number;
    } else {
      fail("has a u32 that isn't a number from 0 to 4294967295.");
    }
  }

  void read_i32(const Json& json, ScVal& value) {
    using Limits = std::numeric_limits<std::int32_t>;
    const bool fits = json.is_number_integer() &&
                      (!json.is_number_unsigned() || json.get<std::uint64_t>() <= std::uint64_t{Limits::max()}) &&
                      json.get<std::int64_t>() >= Limits::min();
    if (!fits) return fail("has an i32 that isn't a number from -2147483648 to 2147483647.");
    value.data = static_cast<std::int32_t>(json.get<std::int64_t>());
  }

  static std::optional<std::uint32_t> small_number(const Json& json) {
    if (!json.is_number_unsigned() || json.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
      return std::nullopt;
    }
    return json.get<std::uint32_t>();
  }

  /// u64, i64, timepoint, duration, u128, i128, u256, i256: strings of digits, since numbers lose some.
  void read_wide(const Json& json, ScVal& value) {
    const bool is_signed = value.type == Type::i64 || value.type == Type::i128 || value.type == Type::i256;
    const auto words = words_of(json, bits_of(value.type), is_signed);
    if (!words) return;
    switch (value.type) {
      case Type::u128: value.data = low_128(*words); return;
      case Type::i128: value.data = static_cast<core::Int128>(low_128(*words)); return;
      case Type::u256:
      case Type::i256: value.data = *words; return;
      case Type::i64: value.data = static_cast<std::int64_t>(words->words[3]); return;
      default: value.data = words->words[3]; return;
    }
  }

  static unsigned bits_of(Type type) {
    if (type == Type::u128 || type == Type::i128) return 128;
    return type == Type::u256 || type == Type::i256 ? 256 : 64;
  }

  std::optional<core::Sc256> words_of(const Json& json, unsigned bits, bool is_signed) {
    const auto* text = json.get_ptr<const std::string*>();
    const auto words = text != nullptr ? integer_of(*text, bits, is_signed) : std::nullopt;
    if (!words) {
      fail("has " + std::string(is_signed ? "a signed" : "an unsigned") + " integer that isn't a string of digits of " +
           std::to_string(bits) + " bits: numbers lose digits.");
    }
    return words;
  }

  void read_nonce(const Json& json, ScVal& value) {
    if (!json.is_object() || json.size() != 1 || !json.contains("nonce")) return fail("has a key without its nonce.");
    if (const auto words = words_of(json["nonce"], 64, true)) value.data = static_cast<std::int64_t>(words->words[3]);
  }

  void read_error(const Json& json, ScVal& value) {
    const auto type = json.is_object() && json.size() == 1 ? place_of(error_types, json.begin().key()) : std::nullopt;
    if (!type) return fail("has an error of no known type.");
    const Json& code = *json.begin();
    const auto* name = code.get_ptr<const std::string*>();
    const auto number = *type == 0 ? small_number(code) : name != nullptr ? place_of(error_codes, *name) : std::nullopt;
    if (!number) return fail("has an error of no known code.");
    value.data = core::ScError{*type, *number};
  }

  void read_bytes(const Json& json, ScVal& value) {
    const auto* text = json.get_ptr<const std::string*>();
    auto bytes = text != nullptr ? core::hex_decode(*text) : core::Result<core::Bytes>(core::ErrorCode::hex_invalid);
    if (text == nullptr || !bytes) return fail("has bytes that aren't a string of hexadecimal digits.");
    value.data = std::move(*bytes);
  }

  void read_text(const Json& json, ScVal& value) {
    const auto* text = json.get_ptr<const std::string*>();
    auto bytes = text != nullptr ? unescape(*text) : std::nullopt;
    if (!bytes) return fail("has a string or symbol that isn't a text of SEP-51: printable ASCII, the rest escaped.");
    value.data = std::move(*bytes);
  }

  void read_address(const Json& json, ScVal& value) {
    const auto* text = json.get_ptr<const std::string*>();
    if (text == nullptr || !core::decode_strkey(*text)) return fail("has an address that isn't a valid StrKey.");
    value.data = core::ScAddress{*text};
  }

  void read_vec(const Json& json, ScVal& value) {
    auto& vec = value.data.emplace<std::optional<core::ScVec>>();
    if (json.is_null()) return;
    if (!json.is_array()) return fail("has a vec that is neither an array nor null.");
    vec.emplace().reserve(json.size());
    for (const Json& element : json) read_value(element, vec->emplace_back());
  }

  void read_map(const Json& json, ScVal& value) {
    read_entries(json, value.data.emplace<std::optional<core::ScMap>>());
  }

  void read_entries(const Json& json, std::optional<core::ScMap>& map) {
    if (json.is_null()) return;
    if (!json.is_array()) return fail("has a map that is neither an array nor null.");
    map.emplace().reserve(json.size());
    for (const Json& entry : json) {
      if (!entry.is_object() || entry.size() != 2 || !entry.contains("key") || !entry.contains("val")) {
        return fail("has an entry of a map that isn't of key and val.");
      }
      core::ScMapEntry& added = map->emplace_back();
      read_value(entry["key"], added.key);
      read_value(entry["val"], added.value);
    }
  }

  void read_instance(const Json& json, ScVal& value) {
    auto& instance = value.data.emplace<core::ScContractInstance>();
    if (!json.is_object() || json.size() != 2 || !json.contains("executable") || !json.contains("storage")) {
      return fail("has a contract instance that isn't of executable and storage.");
    }
    const Json& executable = json["executable"];
    if (executable.is_object() && executable.size() == 1 && executable.contains("wasm")) {
      const auto* text = executable["wasm"].get_ptr<const std::string*>();
      const auto hash =
          text != nullptr ? core::hash_from_hex(*text) : core::Result<core::Hash>(core::ErrorCode::hex_invalid);
      if (!hash) return fail("has a contract instance whose wasm isn't a hash.");
      instance.wasm_hash = *hash;
    } else if (executable != "stellar_asset") {
      return fail("has a contract instance of no known executable.");
    }
    read_entries(json["storage"], instance.storage);
  }

  std::string problem_;
};

const std::array<ScValReader::Arm, 20>& ScValReader::arms() {
  using R = ScValReader;
  static const std::array<Arm, 20> table = {{{"bool", &R::read_bool, Type::boolean},
                                             {"error", &R::read_error, Type::error},
                                             {"u32", &R::read_u32, Type::u32},
                                             {"i32", &R::read_i32, Type::i32},
                                             {"u64", &R::read_wide, Type::u64},
                                             {"i64", &R::read_wide, Type::i64},
                                             {"timepoint", &R::read_wide, Type::timepoint},
                                             {"duration", &R::read_wide, Type::duration},
                                             {"u128", &R::read_wide, Type::u128},
                                             {"i128", &R::read_wide, Type::i128},
                                             {"u256", &R::read_wide, Type::u256},
                                             {"i256", &R::read_wide, Type::i256},
                                             {"bytes", &R::read_bytes, Type::bytes},
                                             {"string", &R::read_text, Type::string},
                                             {"symbol", &R::read_text, Type::symbol},
                                             {"vec", &R::read_vec, Type::vec},
                                             {"map", &R::read_map, Type::map},
                                             {"address", &R::read_address, Type::address},
                                             {"contract_instance", &R::read_instance, Type::contract_instance},
                                             {"ledger_key_nonce", &R::read_nonce, Type::ledger_key_nonce}}};
  return table;
}

/// The decoder's bounds and rules are the only ones.
std::variant<core::Bytes, NotAnScVal> checked(core::Bytes xdr) {
  const auto value = core::decode_scval(xdr);
  if (!value) return NotAnScVal{"is no ScVal: " + std::string(core::error_message(value.error().code))};
  return xdr;
}

bool names_an_empty_arm(const std::string& text) {
  return text == "void" || text == "ledger_key_contract_instance";
}

}  // namespace

std::variant<core::Bytes, NotAnScVal> read_scval(const Json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text != nullptr && !names_an_empty_arm(*text)) {
    auto xdr = core::base64_decode(*text);
    if (!xdr) return NotAnScVal{"must be base64 of an ScVal's XDR, or SEP-51 JSON."};
    return checked(std::move(*xdr));
  }
  ScValReader reader;
  const auto read = reader.read(value);
  if (!read) return NotAnScVal{reader.problem()};
  return checked(core::encode_scval(*read));
}

}  // namespace fluxora::api
