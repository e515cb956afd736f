#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// Appends compact JSON (RFC 8259) to a string of the caller's, straight through: no tree, no numbers but
/// integers. It puts the commas; the caller keeps begin and end paired. Core writes JSON and never reads it.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& output) noexcept : output_(output) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  /// A member's name, to be followed by its value.
  JsonWriter& key(std::string_view name);

  /// Text, escaped; bytes that are not UTF-8 become U+FFFD, so the output is always valid JSON.
  JsonWriter& string(std::string_view text);
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& integer(std::int64_t value);
  JsonWriter& unsigned_integer(std::uint64_t value);
  /// An amount as SPEC section 1 writes it: a string with 7 decimals.
  JsonWriter& amount(Amount value);
  /// Unix seconds as a number, as a string above 2^53 - 1. SPEC section 2.
  JsonWriter& unix_seconds(UnixSeconds value);
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& output_;
  bool needs_comma_ = false;
};

}  // namespace fluxora::core
