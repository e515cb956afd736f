#include "log_news.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "fluxora/core/json_writer.hpp"
#include "sample_entries.hpp"

namespace fluxora::redis {
namespace {

using test::entries;
using test::full_entry;

constexpr InstanceId sender = {1, 2, 3, 4, 5, 6, 7, 8};

/// All that a feed shows of an entry, and what it doesn't.
std::string text_of(const core::LogEntry& entry) {
  std::string text;
  core::JsonWriter json(text);
  core::write_log_entry_json(json, entry, "k3f9");
  for (const core::Bytes& topic : entry.topics_xdr) text += " " + core::hex_encode(topic);
  text += " " + core::hex_encode(entry.value_xdr);
  if (entry.stream) text += " " + core::hex_encode(core::encode_stream(*entry.stream));
  return text;
}

void expect_same(const LogNews& news, const std::optional<LogNews>& decoded) {
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->sender, news.sender);
  EXPECT_EQ(decoded->epoch, news.epoch);
  EXPECT_EQ(decoded->last_seq, news.last_seq);
  ASSERT_EQ(decoded->entries.size(), news.entries.size());
  for (std::size_t i = 0; i < news.entries.size(); ++i) {
    EXPECT_EQ(text_of(decoded->entries[i]), text_of(news.entries[i]));
  }
}

TEST(LogNews, ComeOutAsTheyWentIn) {
  core::LogEntry bare;
  bare.seq = 1043;
  const LogNews news{sender, "k3f9", 1043, {full_entry(1042), bare}};
  expect_same(news, decode_news(encode_news(news)));
}

TEST(LogNews, ASignOfLifeHasNoEntries) {
  const LogNews news{sender, "k3f9", std::numeric_limits<std::uint64_t>::max(), {}};
  expect_same(news, decode_news(encode_news(news)));
  expect_same({sender, "", 0, {}}, decode_news(encode_news({sender, "", 0, {}})));
}

TEST(LogNews, EveryEventHasItsName) {
  for (int event = 0; event <= static_cast<int>(core::EventName::chain_event); ++event) {
    LogNews news{sender, "k3f9", 1, entries(1, 1)};
    news.entries[0].event = static_cast<core::EventName>(event);
    expect_same(news, decode_news(encode_news(news)));
  }
}

TEST(LogNews, WhatIsCutOffOrHasMoreIsRefused) {
  const std::string message = encode_news({sender, "k3f9", 1042, {full_entry(1042)}});
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(decode_news(std::string_view(message).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_news(message + std::string(4, '\0')));
}

/// Whatever a changed bit makes of it, it is refused or has the form of news, and nothing is read past its end.
TEST(LogNews, ChangedBitsDoNoHarm) {
  const std::string message = encode_news({sender, "k3f9", 1042, {full_entry(1042)}});
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    std::string changed = message;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto news = decode_news(changed);
    if (news) {
      EXPECT_EQ(encode_news(*news), changed) << bit;
    }
  }
}

TEST(LogNews, AnotherFormatIsRefused) {
  std::string message = encode_news({sender, "k3f9", 1, entries(1, 1)});
  message[3] = '2';
  EXPECT_FALSE(decode_news(message));
  EXPECT_FALSE(decode_news(""));
  EXPECT_FALSE(decode_news("hello"));
}

TEST(LogNews, EntriesWithAHoleOrInAnotherOrderAreRefused) {
  EXPECT_FALSE(decode_news(encode_news({sender, "k3f9", 5, {entries(3, 3)[0], entries(5, 5)[0]}})));
  EXPECT_FALSE(decode_news(encode_news({sender, "k3f9", 5, {entries(5, 5)[0], entries(4, 4)[0]}})));
  EXPECT_FALSE(decode_news(encode_news({sender, "k3f9", 6, entries(4, 5)})));
  EXPECT_FALSE(decode_news(encode_news({sender, "k3f9", 0, entries(0, 0)})));
}

TEST(LogNews, ThereIsAMost) {
  EXPECT_TRUE(decode_news(encode_news({sender, "k3f9", max_news_entries, entries(1, max_news_entries)})));
  EXPECT_FALSE(decode_news(encode_news({sender, "k3f9", max_news_entries + 1, entries(1, max_news_entries + 1)})));
  LogNews large{sender, "k3f9", 1, entries(1, 1)};
  large.entries[0].value_xdr.resize(max_news_bytes);
  EXPECT_FALSE(decode_news(encode_news(large)));
}

}  // namespace
}  // namespace fluxora::redis
