#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/hub/topic.hpp"

namespace fluxora::hub {

/// A message's text, encoded once and shared by everyone who gets it.
using Frame = std::shared_ptr<const std::string>;

/// How a connection is told of an entry.
enum class FeedFormat : std::uint8_t {
  websocket,  ///< the `stream_update` message of SPEC section 6
  sse,        ///< a whole event of SPEC section 7: id, event, data and the empty line behind them
};
inline constexpr std::size_t feed_formats = 2;

/// A message that isn't an entry and that everyone gets.
struct Notice {
  std::array<Frame, feed_formats> frames;  ///< by FeedFormat

  [[nodiscard]] const Frame& frame(FeedFormat format) const { return frames[static_cast<std::size_t>(format)]; }
};

/// The message that tells of an entry of the log `epoch`.
[[nodiscard]] Frame encode_update(const core::LogEntry& entry, std::string_view epoch,
                                  FeedFormat format = FeedFormat::websocket);

/// A log entry on its way to subscribers, with its messages. It stays where it is made: `keys` are views of it.
class PublishedEntry {
 public:
  PublishedEntry(core::LogEntry entry, std::string_view epoch);
  PublishedEntry(const PublishedEntry&) = delete;
  PublishedEntry& operator=(const PublishedEntry&) = delete;

  [[nodiscard]] const core::LogEntry& entry() const noexcept { return entry_; }
  [[nodiscard]] const EntryKeys& keys() const noexcept { return keys_; }
  /// Made when it is first asked for, once for all threads.
  [[nodiscard]] const Frame& frame(FeedFormat format) const;
  /// About how many bytes it takes, messages included.
  [[nodiscard]] std::size_t weight() const noexcept;

 private:
  core::LogEntry entry_;
  EntryKeys keys_;
  std::string epoch_;
  mutable std::array<std::once_flag, feed_formats> made_;
  mutable std::array<Frame, feed_formats> frames_;
};

/// The log's entries of (after_seq, last_seq], in order.
struct PublishedBatch {
  std::string epoch;
  std::uint64_t after_seq = 0;
  std::uint64_t last_seq = 0;
  std::size_t weight = 0;  ///< of all entries
  std::deque<PublishedEntry> entries;

  PublishedBatch(std::string of_epoch, std::uint64_t after)
      : epoch(std::move(of_epoch)), after_seq(after), last_seq(after) {}
  void add(core::LogEntry entry);
};

}  // namespace fluxora::hub
