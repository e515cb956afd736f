#include "fluxora/hub/topic.hpp"

#include <functional>

namespace fluxora::hub {

std::size_t TopicHash::operator()(TopicView topic) const noexcept {
  const std::size_t kind_and_event =
      static_cast<std::size_t>(topic.kind) * 32 + (topic.event ? static_cast<std::size_t>(*topic.event) + 1 : 0);
  return std::hash<std::string_view>()(topic.value) ^ (kind_and_event * 0x9e3779b97f4a7c15U);
}

EntryKeys keys_of(const core::LogEntry& entry) {
  return {entry.seq, entry.event, entry.stream_id, core::entry_parties(entry)};
}

bool matches(const Topic& topic, const EntryKeys& entry) {
  if (topic.event && *topic.event != entry.event) return false;
  const core::EntryParties& parties = entry.parties;
  switch (topic.kind) {
    case Topic::Kind::stream: return entry.stream_id == topic.value;
    case Topic::Kind::recipient: return parties.recipient == topic.value || parties.former_recipient == topic.value;
    case Topic::Kind::sender: return parties.sender == topic.value || parties.former_sender == topic.value;
    case Topic::Kind::all: break;
  }
  return true;
}

}  // namespace fluxora::hub
