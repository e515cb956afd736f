#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/log_entry.hpp"

namespace fluxora::hub {

/// A message's text, encoded once and shared by everyone who gets it.
using Frame = std::shared_ptr<const std::string>;

/// A log entry on its way to subscribers: the entry to match and the message to send.
struct PublishedEntry {
  core::LogEntry entry;
  Frame frame;
};

/// Entries with consecutive seqs of one epoch.
struct PublishedBatch {
  std::string epoch;
  std::vector<PublishedEntry> entries;
};

/// The `stream_update` message of SPEC section 6.
[[nodiscard]] Frame encode_update(const core::LogEntry& entry, std::string_view epoch);

}  // namespace fluxora::hub
