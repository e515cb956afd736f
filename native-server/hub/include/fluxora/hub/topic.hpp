#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/entry_parties.hpp"
#include "fluxora/core/log_entry.hpp"

namespace fluxora::hub {

/// What a subscription asks for. SPEC sections 6 and 7.
struct Topic {
  enum class Kind : std::uint8_t { all, stream, recipient, sender };
  Kind kind = Kind::all;
  std::string value;                       ///< a stream id or an address; empty for all
  std::optional<core::EventName> event{};  ///< only entries of that name; none: of any

  friend bool operator==(const Topic&, const Topic&) = default;
};

/// The same without a text of its own, to look up by.
struct TopicView {
  Topic::Kind kind = Topic::Kind::all;
  std::string_view value;
  std::optional<core::EventName> event{};

  TopicView(Topic::Kind of_kind, std::string_view of_value, std::optional<core::EventName> of_event)
      : kind(of_kind), value(of_value), event(of_event) {}
  TopicView(const Topic& topic) : kind(topic.kind), value(topic.value), event(topic.event) {}

  friend bool operator==(const TopicView&, const TopicView&) = default;
};

struct TopicHash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(TopicView topic) const noexcept;
};

struct TopicEqual {
  using is_transparent = void;
  [[nodiscard]] bool operator()(TopicView a, TopicView b) const noexcept { return a == b; }
};

/// What of an entry decides whose topics it belongs to. Its texts are the entry's own.
struct EntryKeys {
  std::uint64_t seq = 0;
  core::EventName event = core::EventName::chain_event;
  std::string_view stream_id;  ///< empty for events that are no stream's
  core::EntryParties parties;
};
[[nodiscard]] EntryKeys keys_of(const core::LogEntry& entry);

/// True when the entry belongs to the topic: a party's entries are those that leave it a party and those that take a
/// stream away from it.
[[nodiscard]] bool matches(const Topic& topic, const EntryKeys& entry);

}  // namespace fluxora::hub
