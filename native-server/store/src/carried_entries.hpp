#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/log_fold.hpp"
#include "log_appender.hpp"

namespace fluxora::store {

/// Puts what a served log has from the API, which no chain tells, behind the end of another log in the same database:
/// its streams' entries in their order, folded again where they now stand, with the times that these streams have
/// passed. A time's entry belongs to the first ledger of the other log that closed at that time or later; where none
/// has yet, its indexer makes it. All in the caller's transaction, whose search path it leaves at the served log's.
class CarriedEntries {
 public:
  /// Both are schemas; the other log's has the table replay_target, which says how far it was carried.
  /// `partition_entries`: as LogEnd's.
  CarriedEntries(pqxx::transaction_base& sql, std::string served_schema, std::string next_schema,
                 std::uint64_t partition_entries);

  /// What stands behind the last carried entry, up to `through`.
  void carry(std::uint64_t through);
  /// The times that lie after `after` (where the served log's ledgers end; none: it has none) and not after the other
  /// log's last ledger: of streams that came when its indexer had passed them, before the served log's has.
  void pass_times(std::optional<std::uint64_t> after);

 private:
  void search(const std::string& schema);
  void lock_end();
  void know(const std::vector<core::LogEntry>& entries);
  void carry_time(const core::LogEntry& entry);
  void append_time(core::EventName event, const std::string& stream_id, core::UnixSeconds at);
  void append(core::LogEntry entry);
  void write();

  pqxx::transaction_base& sql_;
  const std::string served_schema_;
  const std::string next_schema_;
  LogEnd end_;
  core::LogFold fold_;
  std::vector<core::LogEntry> entries_;
};

}  // namespace fluxora::store
