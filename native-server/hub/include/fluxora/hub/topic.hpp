#pragma once

#include <cstdint>
#include <string>

#include "fluxora/core/log_entry.hpp"

namespace fluxora::hub {

/// What a subscription asks for. SPEC section 6.
struct Topic {
  enum class Kind : std::uint8_t { all, stream, recipient, sender };
  Kind kind = Kind::all;
  std::string value;  ///< a stream id or an address; empty for all

  friend bool operator==(const Topic&, const Topic&) = default;
};

/// A text that is equal for equal topics, for use as a key.
[[nodiscard]] std::string topic_key(const Topic& topic);

/// True when the entry belongs to the topic. An entry that changed no stream has no recipient and no sender.
[[nodiscard]] bool matches(const Topic& topic, const core::LogEntry& entry);

}  // namespace fluxora::hub
