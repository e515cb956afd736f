// WebSocket frames: however the bytes of a connection are cut, they are read the same, and within their bounds.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/json_writer.hpp"
#include "fuzzer/FuzzedDataProvider.h"
#include "require.hpp"
#include "websocket_codec.hpp"

using namespace fluxora;
using fuzz::require;
using Kind = net::FrameReader::Event::Kind;

namespace {

constexpr net::FrameReader::Limits limits{2'000, 10, true};

struct Read {
  Kind kind;
  std::uint16_t code;
  bool compressed;
  std::string payload;
  bool operator==(const Read&) const = default;
};

/// Core's writer replaces what isn't UTF-8: a second opinion.
bool is_utf8(std::string_view text) {
  net::Utf8Check whole;
  const bool valid = whole.take(text) && whole.complete();
  std::string json;
  core::JsonWriter(json).string(text);
  const bool replaced = json.find("\xef\xbf\xbd") != std::string::npos;
  const bool had_one = text.find("\xef\xbf\xbd") != std::string_view::npos;
  require(valid ? had_one == replaced : replaced, "two readers of UTF-8 agree");
  return valid;
}

void check(const net::FrameReader::Event& event) {
  switch (event.kind) {
    case Kind::text: require(event.compressed || is_utf8(event.payload), "a text is UTF-8"); [[fallthrough]];
    case Kind::binary: require(event.payload.size() <= limits.max_message_bytes, "a message is bounded"); break;
    case Kind::ping:
    case Kind::pong: require(event.payload.size() <= net::max_control_payload_bytes, "control frames are short"); break;
    case Kind::close:
      require(event.code == net::close_code::none || net::is_close_code(event.code), "a close code is one");
      require(is_utf8(event.payload), "a reason is UTF-8");
      break;
    case Kind::failed: require(event.code == 1002 || event.code == 1007 || event.code == 1009, "it says why"); break;
    case Kind::need_more: break;
  }
}

/// Reads a connection's bytes in pieces of these sizes, over and over; 0: all that is left.
std::vector<Read> read(std::string bytes, const std::vector<std::uint8_t>& sizes) {
  net::FrameReader reader(limits);
  std::vector<Read> all;
  std::size_t from = 0;
  for (std::size_t turn = 0; from < bytes.size(); ++turn) {
    const std::size_t wanted = sizes.empty() ? 0 : sizes[turn % sizes.size()];
    const std::size_t size = wanted == 0 ? bytes.size() - from : std::min(wanted, bytes.size() - from);
    // A copy of its own, so that a view kept too long is found.
    std::string piece = bytes.substr(from, size);
    std::span<char> in(piece);
    for (auto event = reader.next(in); event.kind != Kind::need_more; event = reader.next(in)) {
      check(event);
      require(all.empty() || (all.back().kind != Kind::close && all.back().kind != Kind::failed),
              "nothing comes behind the end");
      all.push_back({event.kind, event.code, event.compressed, std::string(event.payload)});
    }
    require(in.empty(), "all of a piece is taken");
    from += size;
  }
  return all;
}

/// What a client writes is read as it was written.
void check_round_trip(std::string_view payload, std::uint32_t mask) {
  payload = payload.substr(0, limits.max_message_bytes);
  const net::FrameHead head(net::Opcode::binary, payload.size(), false);
  std::string bytes(head.bytes());
  bytes[1] = static_cast<char>(static_cast<unsigned char>(bytes[1]) | 0x80);
  const char key[] = {static_cast<char>(mask), static_cast<char>(mask >> 8), static_cast<char>(mask >> 16),
                      static_cast<char>(mask >> 24)};
  bytes.append(key, sizeof key);
  for (std::size_t i = 0; i < payload.size(); ++i) bytes += static_cast<char>(payload[i] ^ key[i % sizeof key]);
  const auto all = read(bytes, {});
  require(all.size() == 1 && all[0].kind == Kind::binary && all[0].payload == payload, "a message is read as written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto mask = input.ConsumeIntegral<std::uint32_t>();
  const auto sizes = input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(0, 8));
  const std::string bytes = input.ConsumeRemainingBytesAsString();
  const auto whole = read(bytes, {});
  require(read(bytes, sizes) == whole, "the cuts change nothing");
  require(read(bytes, {1}) == whole, "nor does one byte at a time");
  check_round_trip(bytes, mask);
  static_cast<void>(is_utf8(bytes));
  return 0;
}
