#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/log_entry.hpp"

namespace fluxora::redis {

/// Which instance a message is of: random bytes, new with each start.
using InstanceId = std::array<std::uint8_t, 8>;

/// What the publisher tells of the log's end: that it goes up to last_seq, and the newest entries. Without entries it
/// is a sign of life, or all that is told of entries that are too many bytes.
struct LogNews {
  InstanceId sender{};
  std::string epoch;
  std::uint64_t last_seq = 0;
  std::vector<core::LogEntry> entries;  ///< none, or in order without a hole up to last_seq
};

/// Longest message that is sent and taken.
inline constexpr std::size_t max_news_bytes = std::size_t{1} << 20;
/// Most entries of one.
inline constexpr std::size_t max_news_entries = 1'000;

/// XDR (RFC 4506) behind a word that names the format. Whoever changes what it says, or what encode_stream does,
/// changes that word: instances of two versions then read the database instead of each other.
[[nodiscard]] std::string encode_news(const LogNews& news);

/// None for whatever isn't exactly such a message.
[[nodiscard]] std::optional<LogNews> decode_news(std::string_view message);

}  // namespace fluxora::redis
