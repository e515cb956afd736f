#include "websocket_codec.hpp"

#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "websocket_client.hpp"

namespace fluxora::net::test {
namespace {

using Kind = FrameReader::Event::Kind;

struct Read {
  Kind kind;
  std::string payload;
  std::uint16_t code = 0;
  bool compressed = false;
  auto operator<=>(const Read&) const = default;
};

void PrintTo(const Read& read, std::ostream* out) {
  *out << "kind " << static_cast<int>(read.kind) << " code " << read.code << " \"" << read.payload.substr(0, 40) << '"';
}

constexpr FrameReader::Limits limits{1'000, 8, false};

/// What is read from `bytes`, given in pieces that end at `cuts`.
std::vector<Read> read_in_pieces(std::string bytes, const std::vector<std::size_t>& cuts, FrameReader::Limits with) {
  FrameReader reader(with);
  std::vector<Read> all;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : bytes.size();
    std::span<char> piece(bytes.data() + from, to - from);
    for (auto event = reader.next(piece); event.kind != Kind::need_more; event = reader.next(piece))
      all.push_back({event.kind, std::string(event.payload), event.code, event.compressed});
    EXPECT_TRUE(piece.empty());
    from = to;
  }
  return all;
}

/// The same however it is cut: in one piece, into bytes, and at any one place.
std::vector<Read> read(const std::string& bytes, FrameReader::Limits with = limits) {
  const auto whole = read_in_pieces(bytes, {}, with);
  std::vector<std::size_t> every;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    every.push_back(i);
    EXPECT_EQ(read_in_pieces(bytes, {i}, with), whole) << "cut at " << i;
  }
  EXPECT_EQ(read_in_pieces(bytes, every, with), whole) << "byte by byte";
  return whole;
}

std::uint16_t failure_of(const std::string& bytes, FrameReader::Limits with = limits) {
  const auto all = read(bytes, with);
  return all.size() == 1 && all[0].kind == Kind::failed ? all[0].code : std::uint16_t{0};
}

/// A masked frame whose length is written as it is given.
std::string with_length(char first, std::string_view length, std::size_t payload_bytes) {
  return std::string(1, first) + std::string(length) + std::string(4 + payload_bytes, '\0');
}

TEST(FrameReader, ReadsMessagesOfEverySize) {
  for (const std::size_t size : {0UL, 1UL, 7UL, 8UL, 125UL, 126UL, 1'000UL}) {
    const std::string payload(size, 'p');
    EXPECT_EQ(read(client_frame(text, payload)), (std::vector<Read>{{Kind::text, payload}})) << size;
    EXPECT_EQ(read(client_frame(binary, payload)), (std::vector<Read>{{Kind::binary, payload}})) << size;
  }
  std::string large = client_frame(text, std::string(70'000, 'l'));
  EXPECT_EQ(read_in_pieces(large, {1, 2, 9, 13, 14, 15, 66'000}, {70'000, 1, false}),
            (std::vector<Read>{{Kind::text, std::string(70'000, 'l')}}));
}

TEST(FrameReader, JoinsFragmentsWithControlFramesBetween) {
  const std::string bytes = client_frame(text, "a\xc3", {.fin = false}) + client_frame(ping, "1") +
                            client_frame(continuation, "\xbc", {.fin = false}) + client_frame(pong, "") +
                            client_frame(continuation, "") + client_frame(text, "next");
  EXPECT_EQ(read(bytes),
            (std::vector<Read>{{Kind::ping, "1"}, {Kind::pong, ""}, {Kind::text, "a\xc3\xbc"}, {Kind::text, "next"}}));
}

TEST(FrameReader, RefusesWhatRfc6455Forbids) {
  EXPECT_EQ(failure_of(client_frame(text, "x", {.masked = false})), 1002);
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) EXPECT_EQ(failure_of(client_frame(opcode, "")), 1002);
  for (const int reserved : {1, 2, 3, 4, 5, 6, 7})
    EXPECT_EQ(failure_of(client_frame(text, "", {.reserved = reserved})), 1002);
  EXPECT_EQ(failure_of(client_frame(ping, "", {.fin = false})), 1002) << "a fragmented control frame";
  EXPECT_EQ(failure_of(client_frame(ping, std::string(126, 'x'))), 1002) << "a long control frame";
  EXPECT_EQ(failure_of(client_frame(continuation, "x")), 1002) << "nothing to continue";
  EXPECT_EQ(failure_of(client_frame(text, "a", {.fin = false}) + client_frame(text, "b")), 1002)
      << "another message begins within one";
  EXPECT_EQ(failure_of(client_frame(close_frame, "x")), 1002) << "half a code";
}

TEST(FrameReader, WantsTheShortestLength) {
  using namespace std::string_literals;
  EXPECT_EQ(failure_of(with_length('\x82', "\xfe\x00\x7d"s, 125)), 1002);
  EXPECT_EQ(failure_of(with_length('\x82', "\xff\x00\x00\x00\x00\x00\x00\xff\xff"s, 0)), 1002);
  EXPECT_EQ(failure_of(with_length('\x82', "\xff\x80\x00\x00\x00\x00\x01\x00\x00"s, 0)), 1002) << "64 bits";
  EXPECT_EQ(read(with_length('\x82', "\xfe\x00\x7e"s, 126)),
            (std::vector<Read>{{Kind::binary, std::string(126, '\0')}}));
}

TEST(FrameReader, BoundsMessagesBeforeTheyCome) {
  using namespace std::string_literals;
  EXPECT_EQ(failure_of(client_frame(text, std::string(1'001, 'x'))), 1009);
  EXPECT_EQ(failure_of(with_length('\x81', "\xff\x7f\xff\xff\xff\xff\xff\xff\xff"s, 0)), 1009);
  EXPECT_EQ(failure_of(client_frame(text, std::string(999, 'x'), {.fin = false}) +
                       client_frame(continuation, "xx").substr(0, 6)),
            1009)
      << "by the last fragment's head alone";
  std::string fragments = client_frame(text, "", {.fin = false});
  for (int i = 1; i < 8; ++i) fragments += client_frame(continuation, "", {.fin = i == 7});
  EXPECT_EQ(read(fragments), (std::vector<Read>{{Kind::text, ""}}));
  std::string too_many = client_frame(text, "", {.fin = false});
  for (int i = 0; i < 8; ++i) too_many += client_frame(continuation, "", {.fin = false});
  EXPECT_EQ(failure_of(too_many), 1009);
}

TEST(FrameReader, FailsOnTheFirstByteThatIsNotUtf8) {
  const auto fails = [](const std::string& message) { return failure_of(client_frame(text, message)) == 1007; };
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "12345678\x80", "1234567\xc3\xbc\xbc"})
    EXPECT_TRUE(fails(bad)) << bad;
  for (const char* good : {"\x7f", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "1234567\xc3\xbc"})
    EXPECT_EQ(read(client_frame(text, good)), (std::vector<Read>{{Kind::text, good}}));
  EXPECT_EQ(failure_of(client_frame(text, "\xf4\x90", {.fin = false})), 1007) << "the message isn't over yet";
  EXPECT_EQ(failure_of(client_frame(text, std::string("\xf4\x90") + std::string(900, 'x')).substr(0, 10)), 1007)
      << "nor is the frame";
  EXPECT_EQ(read(client_frame(binary, "\xff")), (std::vector<Read>{{Kind::binary, "\xff"}}));
}

TEST(FrameReader, ReadsCloseFrames) {
  const auto close = [](unsigned code, std::string_view reason = "") {
    std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    return client_frame(close_frame, payload.append(reason));
  };
  EXPECT_EQ(read(client_frame(close_frame, "")), (std::vector<Read>{{Kind::close, "", 1005}}));
  EXPECT_EQ(read(close(1000, "bye")), (std::vector<Read>{{Kind::close, "bye", 1000}}));
  EXPECT_EQ(read(close(4999) + client_frame(text, "dropped")), (std::vector<Read>{{Kind::close, "", 4999}}));
  for (const unsigned code :
       {1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U, 1013U, 1014U, 3000U, 4000U})
    EXPECT_EQ(read(close(code)), (std::vector<Read>{{Kind::close, "", static_cast<std::uint16_t>(code)}}));
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 2000U, 2999U, 5000U, 65'535U})
    EXPECT_EQ(failure_of(close(code)), 1002) << code;
  EXPECT_EQ(failure_of(close(1000, "\xff")), 1007);
  EXPECT_EQ(failure_of(close(1000, "\xc3")), 1007) << "a sequence without its end";
}

TEST(FrameReader, MarksCompressedMessagesWhereTheyWereAgreedOn) {
  constexpr FrameReader::Limits compressing{1'000, 8, true};
  EXPECT_EQ(read(client_frame(text, "\xff", {.fin = false, .reserved = 4}) + client_frame(continuation, "\xfe") +
                     client_frame(text, "plain"),
                 compressing),
            (std::vector<Read>{{Kind::text, "\xff\xfe", 0, true}, {Kind::text, "plain", 0, false}}));
  EXPECT_EQ(failure_of(client_frame(ping, "", {.reserved = 4}), compressing), 1002);
  EXPECT_EQ(failure_of(client_frame(text, "", {.reserved = 6}), compressing), 1002);
  EXPECT_EQ(
      failure_of(client_frame(text, "", {.fin = false}) + client_frame(continuation, "", {.reserved = 4}), compressing),
      1002);
}

TEST(FrameHead, HasTheShortestLength) {
  using namespace std::string_literals;
  const auto head = [](Opcode opcode, std::size_t size, bool compressed = false) {
    return std::string(FrameHead(opcode, size, compressed).bytes());
  };
  EXPECT_EQ(head(Opcode::text, 0), "\x81\x00"s);
  EXPECT_EQ(head(Opcode::text, 125), "\x81\x7d"s);
  EXPECT_EQ(head(Opcode::binary, 126), "\x82\x7e\x00\x7e"s);
  EXPECT_EQ(head(Opcode::text, 65'535), "\x81\x7e\xff\xff"s);
  EXPECT_EQ(head(Opcode::text, 65'536), "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  EXPECT_EQ(head(Opcode::text, 5, true), "\xc1\x05"s);
  EXPECT_EQ(head(Opcode::close, 2), "\x88\x02"s);
}

TEST(ClosePayload, HasAsMuchOfTheReasonAsFits) {
  EXPECT_EQ(close_payload(1005, "no code, no reason"), "");
  EXPECT_EQ(close_payload(4008, "slow"), "\x0f\xa8slow");
  const std::string cut = close_payload(1000, std::string(122, 'r') + "\xc3\xbc");
  EXPECT_EQ(cut.substr(2), std::string(122, 'r'));
}

}  // namespace
}  // namespace fluxora::net::test
