#pragma once

#include <string_view>

#include "fluxora/core/log_entry.hpp"

namespace fluxora::core {

/// Whom an entry concerns: the stream's parties after it and, where it changed them, those before. Views of the entry's
/// own texts; empty where there is none.
struct EntryParties {
  std::string_view sender;
  std::string_view recipient;
  std::string_view former_sender;     ///< who was the sender until this entry
  std::string_view former_recipient;  ///< who was the recipient until this entry
};

/// An entry that was folded has its stream's parties; one that gave the stream to someone else, or undid the stream,
/// also has those whom it was taken from, by `change`. An entry that wasn't folded has none. SPEC section 4.
[[nodiscard]] EntryParties entry_parties(const LogEntry& entry);

}  // namespace fluxora::core
