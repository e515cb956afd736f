#include "message_reader.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::load {
namespace {

struct Read {
  Message::Kind kind;
  std::string head;
  std::size_t size;
  friend bool operator==(const Read&, const Read&) = default;
};

/// What a reader finds in the bytes when they come `step` at a time; heads cut to what is always kept.
template <class Reader>
std::vector<Read> read_by(std::size_t step, const std::string& bytes) {
  Reader reader;
  std::vector<Read> found;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.read(std::string_view(bytes).substr(at, step), [&](const Message& message) {
      found.push_back({message.kind, std::string(message.head.substr(0, kept_head)), message.size});
    });
  }
  return found;
}

std::string frame(unsigned char first, const std::string& payload) {
  std::string text(1, static_cast<char>(first));
  if (payload.size() < 126) {
    text += static_cast<char>(payload.size());
  } else if (payload.size() <= 0xffff) {
    text += std::string{126, static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size() & 0xff)};
  } else {
    text += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(payload.size() >> shift);
  }
  return text + payload;
}

TEST(FrameReader, finds_frames_of_every_length_however_they_arrive) {
  std::string bytes;
  std::vector<Read> expected;
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 125, 126, 330, 512, 513, 65'535, 65'536}) {
    const std::string payload(size, 'p');
    bytes += frame(0x81, payload);
    expected.push_back({Message::Kind::text, payload.substr(0, kept_head), size});
  }
  bytes += frame(0x89, "ping") + frame(0x88, "");
  expected.push_back({Message::Kind::ping, "ping", 4});
  expected.push_back({Message::Kind::close, "", 0});
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{1'000}, bytes.size()}) {
    EXPECT_EQ(read_by<FrameReader>(step, bytes), expected) << step;
  }
}

TEST(FrameReader, refuses_what_it_would_count_wrongly) {
  EXPECT_THROW(read_by<FrameReader>(1, frame(0x01, "half")), std::runtime_error);        // more of it follows
  EXPECT_THROW(read_by<FrameReader>(1, frame(0xc1, "compressed")), std::runtime_error);  // RSV1
  EXPECT_THROW(read_by<FrameReader>(1, frame(0x82, "binary")), std::runtime_error);
  EXPECT_THROW(read_by<FrameReader>(1, std::string{'\x81', '\x80', 0, 0, 0, 0}), std::runtime_error);  // masked
}

TEST(EventReader, finds_events_in_chunks) {
  const std::string first = "id: e-1\nevent: stream.updated\ndata: {\"eventId\":\"1\"}\n\n";
  const std::string second = ": ping\n\n";
  const std::string bytes = "37\r\n" + first + "\r\n8\r\n" + second + "\r\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    const std::vector<Read> found = read_by<EventReader>(step, bytes);
    ASSERT_EQ(found.size(), 2U) << step;
    EXPECT_EQ(found[0].head, "37\r\n" + first);
    EXPECT_EQ(found[1].head, "\r\n8\r\n" + second);
  }
}

}  // namespace
}  // namespace fluxora::load
