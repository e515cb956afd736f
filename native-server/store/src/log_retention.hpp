#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/ports/log_retention.hpp"

namespace fluxora::store {

/// Prunes in two parts. What stays of the oldest partitions is copied beside them, page by page, while everybody goes
/// on: what is below the cut doesn't change any more. Then, in one short transaction, the copy takes their place.
class PostgresLogRetention final : public ports::LogRetention {
 public:
  explicit PostgresLogRetention(const StoreOptions& options);

  Step step(core::UnixSeconds before) override;
  ports::LogSize size() override;

 private:
  /// A pruning under way.
  struct Pruning {
    std::string epoch;
    std::uint64_t from = 0;               ///< the log's oldest entry
    std::uint64_t cut = 0;                ///< its oldest when it is done
    std::uint64_t boundary = 0;           ///< where the partitions end that go: the copy's end
    std::vector<std::string> partitions;  ///< that go
    std::optional<std::uint32_t> ledger;  ///< no entry below the cut is of a later one
    std::string copy;                     ///< the table
    std::uint64_t checked_through = 0;    ///< no entry from the cut on, up to this one, belongs below the cut
    enum class Part : std::uint8_t { entries, streams, digest, done };
    Part part = Part::entries;    ///< of the copying that is at work
    std::uint64_t after_seq = 0;  ///< its place: entries
    std::string after_stream;     ///< its place: streams, digest
    core::Hash states{};          ///< snapshot_digest up to there
    std::uint64_t kept_rows = 0;
  };

  Step perform(pqxx::connection& connection, core::UnixSeconds before);
  /// One instance prunes at a time. A lost session has lost the lock, and another instance may have begun since.
  bool claim(pqxx::connection& connection);
  Step begin(pqxx::connection& connection, core::UnixSeconds before);
  void copy_part(pqxx::connection& connection);
  void copy_entries(pqxx::transaction_base& sql);
  void copy_streams(pqxx::transaction_base& sql);
  void digest_states(pqxx::transaction_base& sql);
  Step take_effect(pqxx::connection& connection);
  /// False: an entry has come that belongs below the cut.
  bool is_still_closed(pqxx::transaction_base& sql);
  void exchange_partitions(pqxx::transaction_base& sql);
  /// What it has copied is dropped when the next begins.
  Step give_up(ports::LogRetention::Progress progress);

  OwnConnection connection_;
  std::optional<std::uint64_t> claimed_in_;  ///< the opening of the connection whose session has the lock
  std::optional<Pruning> pruning_;
  unsigned tries_ = 0;  ///< to put the copy into place
};

}  // namespace fluxora::store
