// The small codecs: hexadecimal, base64, base64url, times, and the canonical bytes of a stream.
#include <algorithm>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"
#include "require.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

bool same(core::ByteView a, core::ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void check_texts(std::string_view text) {
  if (const auto bytes = core::hex_decode(text)) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c; });
    require(core::hex_encode(*bytes) == lower, "hexadecimal: decode, then encode gives the text in lower case");
  }
  if (const auto bytes = core::base64_decode(text)) {
    require(core::base64_encode(*bytes) == text, "base64: decode, then encode gives the text");
  }
  if (const auto bytes = core::base64url_decode(text)) {
    require(core::base64url_encode(*bytes) == text, "base64url: decode, then encode gives the text");
  }
  if (const auto seconds = core::parse_rfc3339(text)) {
    require(*seconds <= core::last_rfc3339_second, "a time ends with year 9999");
    const auto again = core::parse_rfc3339(core::format_rfc3339(*seconds));
    require(again && *again == *seconds, "time: parse, then format, then parse gives the time");
  }
}

void check_bytes(core::ByteView bytes) {
  const auto hex = core::hex_decode(core::hex_encode(bytes));
  require(hex && same(*hex, bytes), "hexadecimal: encode, then decode gives the bytes");
  const auto base64 = core::base64_decode(core::base64_encode(bytes));
  require(base64 && same(*base64, bytes), "base64: encode, then decode gives the bytes");
  const auto base64url = core::base64url_decode(core::base64url_encode(bytes));
  require(base64url && same(*base64url, bytes), "base64url: encode, then decode gives the bytes");
}

void check_stream(core::ByteView bytes) {
  const auto stream = core::decode_stream(bytes);
  if (!stream) return;
  require(same(core::encode_stream(*stream), bytes), "stream: one sequence of bytes a stream");
  std::string json;
  core::JsonWriter writer(json);
  core::write_stream_json(writer, *stream, stream->end_time);
  require(nlohmann::json::accept(json), "a stream's JSON is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_texts(std::string_view(reinterpret_cast<const char*>(data), size));
  check_bytes(core::ByteView(data, size));
  check_stream(core::ByteView(data, size));
  return 0;
}
