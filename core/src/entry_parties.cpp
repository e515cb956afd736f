#include "fluxora/core/entry_parties.hpp"

namespace fluxora::core {
namespace {

/// The text before in `change`'s `"name":["before",…]`. Addresses need no escaping, and no other member's values are
/// named like a member.
std::string_view before_in(std::string_view change, std::string_view name) {
  const std::size_t found = change.find(name);
  if (found == std::string_view::npos) return {};
  const std::string_view rest = change.substr(found + name.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace

EntryParties entry_parties(const LogEntry& entry) {
  EntryParties parties;
  if (entry.stream) {
    parties.sender = entry.stream->sender;
    parties.recipient = entry.stream->recipient;
  }
  parties.former_sender = before_in(entry.change, "\"sender\":[\"");
  parties.former_recipient = before_in(entry.change, "\"recipient\":[\"");
  return parties;
}

}  // namespace fluxora::core
