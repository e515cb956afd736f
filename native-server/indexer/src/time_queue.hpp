#pragma once

#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>

#include "record_builder.hpp"

namespace fluxora::indexer {

/// The cliffs and ends that ledgers may pass. A ledger makes entries of those at or before its close time that no
/// earlier one has passed; what its own events change is passed behind them.
class TimeQueue {
 public:
  /// Of streams as they are found, times after `after` count; of all, times up to `through`.
  TimeQueue(core::UnixSeconds after, core::UnixSeconds through) : after_(after), through_(through) {}

  /// A stream as it is found.
  void found(const core::Stream& stream);
  /// A stream that an entry has made or changed: what it moved may be passed already.
  void changed(const core::Stream* before, const core::Stream& after);

  /// The earliest time that waits.
  [[nodiscard]] std::optional<core::UnixSeconds> next() const;
  /// Appends the entries of all that `ledger` has passed, but for those that stand, by ports::entry_identity.
  void pass(const core::LedgerHeader& ledger, RecordBuilder& builder,
            const std::unordered_set<std::string>& standing = {});

 private:
  void add(core::UnixSeconds at, core::EventName event, const std::string& id);

  core::UnixSeconds after_;
  core::UnixSeconds through_;
  using Times = std::set<std::tuple<core::UnixSeconds, core::EventName, std::string>>;
  Times times_;
  Times passed_;  // by the ledger that is being passed
  std::uint32_t passing_ = 0;
};

}  // namespace fluxora::indexer
