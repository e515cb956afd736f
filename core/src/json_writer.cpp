#include "fluxora/core/json_writer.hpp"

#include <cstring>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/utf8.hpp"

namespace fluxora::core {
namespace {

constexpr std::string_view replacement_character = "\xef\xbf\xbd";
constexpr UnixSeconds last_exact_json_integer = (UnixSeconds{1} << 53) - 1;

void append_escaped_ascii(std::string& output, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"': output += "\\\""; return;
    case '\\': output += "\\\\"; return;
    case '\b': output += "\\b"; return;
    case '\f': output += "\\f"; return;
    case '\n': output += "\\n"; return;
    case '\r': output += "\\r"; return;
    case '\t': output += "\\t"; return;
    default: break;
  }
  output += "\\u00";
  output += hex[static_cast<std::uint8_t>(c) >> 4];
  output += hex[static_cast<std::uint8_t>(c) & 0x0f];
}

/// From `at` on, past what needs neither an escape nor a look at its encoding: by eight bytes, as long as none of the
/// eight is anything else. One of them is below a bound where subtracting it from all borrows a top bit that was unset,
/// and is a certain character where the difference to that is below 1.
std::size_t skip_plain(std::string_view text, std::size_t at) noexcept {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  constexpr std::uint64_t tops = 0x80 * ones;
  const auto has_below = [](std::uint64_t word, std::uint64_t bound) { return (word - bound * ones) & ~word & tops; };
  for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t found =
        (word & tops) | has_below(word, 0x20) | has_below(word ^ ('"' * ones), 1) | has_below(word ^ ('\\' * ones), 1);
    if (found != 0) break;
  }
  return at;
}

void append_quoted(std::string& output, std::string_view text) {
  output += '"';
  std::size_t plain_begin = 0;  // what needs no change is copied in runs
  std::size_t at = skip_plain(text, 0);
  while (at < text.size()) {
    const std::uint8_t byte = static_cast<std::uint8_t>(text[at]);
    if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
      ++at;
      continue;
    }
    const Utf8Sequence sequence = byte < 0x80 ? Utf8Sequence{1, false} : utf8_sequence(text, at);
    if (!sequence.valid) {
      output.append(text, plain_begin, at - plain_begin);
      if (byte < 0x80) {
        append_escaped_ascii(output, text[at]);
      } else {
        output += replacement_character;
      }
      plain_begin = at + sequence.size;
    }
    at = skip_plain(text, at + sequence.size);
  }
  output.append(text, plain_begin, text.size() - plain_begin);
  output += '"';
}

}  // namespace

void JsonWriter::separate() {
  if (needs_comma_) output_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  output_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  output_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_quoted(output_, name);
  output_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  append_quoted(output_, text);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  output_ += format_units(value);
  return *this;
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t value) {
  separate();
  output_ += format_u64(value);
  return *this;
}

JsonWriter& JsonWriter::amount(Amount value) {
  separate();
  output_ += '"';
  output_ += DecimalText(value).view();
  output_ += '"';
  return *this;
}

JsonWriter& JsonWriter::unix_seconds(UnixSeconds value) {
  separate();
  const bool quoted = value > last_exact_json_integer;
  if (quoted) output_ += '"';
  output_ += format_u64(value);
  if (quoted) output_ += '"';
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  output_ += json;
  return *this;
}

}  // namespace fluxora::core
