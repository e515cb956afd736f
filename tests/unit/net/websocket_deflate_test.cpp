#include "websocket_deflate.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::net::test {
namespace {

using Outcome = Inflater::Outcome;
constexpr std::size_t limit = 64 * 1024;

std::string repeated(std::string_view what, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += what;
  return all;
}

/// Bytes that look random.
std::string noise(std::size_t size) {
  std::string bytes;
  std::uint32_t state = 1;
  while (bytes.size() < size) {
    state = state * 1'664'525 + 1'013'904'223;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(Deflate, GivesBackWhatWasCompressed) {
  Deflater deflater;
  Inflater inflater;
  std::string message;
  for (const std::string& original : {std::string("a"), repeated("{\"streamId\":\"C-7\"}", 200), noise(20'000),
                                      noise(3'000) + repeated("x", 60'000)}) {
    EXPECT_EQ(inflater.decompress(deflater.compress(original), limit, message), Outcome::done);
    EXPECT_EQ(message, original);
  }
  EXPECT_EQ(inflater.decompress(std::string(1, '\0'), limit, message), Outcome::done);
  EXPECT_EQ(message, "") << "RFC 7692 section 7.2.3.6";
}

TEST(Deflate, KeepsNothingFromOneMessageToTheNext) {
  Deflater deflater;
  const std::string message = noise(1'000);
  const std::string first = deflater.compress(message);
  EXPECT_EQ(deflater.compress(message), first);
  Inflater inflater;
  std::string out;
  EXPECT_EQ(inflater.decompress("\xff", limit, out), Outcome::malformed);
  EXPECT_EQ(inflater.decompress(first, limit, out), Outcome::done);
  EXPECT_EQ(out, message);
}

TEST(Deflate, ReadsTheExamplesOfRfc7692) {
  using namespace std::string_literals;
  Inflater inflater;
  std::string message;
  for (const std::string& hello : {
           "\xf2\x48\xcd\xc9\xc9\x07\x00"s,                          // section 7.2.3.1
           "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s,          // 7.2.3.3, without compression
           "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s,                      // 7.2.3.4, a final block
           "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s,  // 7.2.3.5, two blocks
       }) {
    EXPECT_EQ(inflater.decompress(hello, limit, message), Outcome::done);
    EXPECT_EQ(message, "Hello");
  }
}

TEST(Deflate, RefusesWhatWasCutOff) {
  const std::string whole = Deflater().compress(noise(1'000));
  Inflater inflater;
  std::string message;
  EXPECT_EQ(inflater.decompress(whole.substr(0, whole.size() / 2), limit, message), Outcome::malformed);
}

TEST(Deflate, TakesFewFinalBlocks) {
  using namespace std::string_literals;
  const std::string empty_final_block = "\x03\x00"s;
  Inflater inflater;
  std::string message;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(inflater.decompress(repeated(empty_final_block, 16) + "\xf2\x48\xcd\xc9\xc9\x07\x00"s, limit, message),
              Outcome::done);
    EXPECT_EQ(message, "Hello");
    EXPECT_EQ(inflater.decompress(repeated(empty_final_block, 32'767) + '\0', limit, message), Outcome::malformed);
  }
}

TEST(Deflate, StopsAtTheBound) {
  Inflater inflater;
  std::string message;
  const std::string bomb = Deflater().compress(repeated("0", 50'000'000));
  EXPECT_LT(bomb.size(), 300'000U);
  EXPECT_EQ(inflater.decompress(bomb, limit, message), Outcome::too_large);
  EXPECT_LE(message.size(), limit + 1);
  const std::string exact = Deflater().compress(repeated("0", limit));
  EXPECT_EQ(inflater.decompress(exact, limit, message), Outcome::done);
  EXPECT_EQ(inflater.decompress(exact, limit - 1, message), Outcome::too_large);
}

TEST(CompressedFrames, AreMadeOnceAMessage) {
  CompressedFrames frames;
  const auto message = std::make_shared<const std::string>(repeated("broadcast", 100));
  const Frame compressed = frames.of(message);
  ASSERT_TRUE(compressed);
  EXPECT_LT(compressed->size(), message->size());
  EXPECT_EQ(frames.of(message), compressed);
  EXPECT_EQ(frames.of(std::make_shared<const std::string>(noise(1'000))), nullptr) << "nothing is gained";
  EXPECT_GT(message.use_count(), 1) << "held, so that its address isn't another message's";
  frames.clear();
  EXPECT_EQ(message.use_count(), 1);
}

TEST(CompressedFrames, HoldABoundedAmount) {
  CompressedFrames frames;
  std::vector<Frame> messages;
  for (int i = 0; i < 10'000; ++i) {
    messages.push_back(std::make_shared<const std::string>(repeated(std::to_string(i), 200)));
    const Frame compressed = frames.of(messages.back());
    EXPECT_TRUE(compressed);
    ASSERT_EQ(frames.of(messages.back()), compressed) << "shared, however many came before";
  }
  std::size_t held = 0;
  for (const Frame& message : messages) held += message.use_count() > 1 ? message->size() : 0;
  EXPECT_GT(held, 1'000'000U);
  EXPECT_LE(held, 4U * 1024 * 1024);
}

}  // namespace
}  // namespace fluxora::net::test
