#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "fluxora/indexer/ingest.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/store/store.hpp"

namespace fluxora::load {

/// The ledgers of a chain that doesn't exist, one every five seconds, all alike in every run.
[[nodiscard]] ports::LedgerHeader header_of(std::uint32_t sequence);

/// A million tokens over a month, from the ledger's close on.
[[nodiscard]] ports::ChainEvent creation(std::uint64_t stream, core::UnixSeconds closed_at);

/// The indexer's side of a database, open where it stands. Throws when another instance leads.
class LoadLog {
 public:
  explicit LoadLog(const std::string& database_url);
  ~LoadLog();
  LoadLog(const LoadLog&) = delete;
  LoadLog& operator=(const LoadLog&) = delete;

  [[nodiscard]] const std::optional<ports::Checkpoint>& checkpoint() const noexcept { return checkpoint_; }
  [[nodiscard]] std::uint32_t next_ledger() const noexcept { return checkpoint_ ? checkpoint_->ledger + 1 : 1; }

  /// Commits the batch behind the checkpoint, as the server's own indexer would. How many entries that made.
  std::size_t ingest(const indexer::LedgerBatch& batch);
  /// One step back towards `target`, of at most so many entries. How many entries that made.
  std::size_t roll_back(std::uint32_t target, std::size_t entries);

 private:
  class QuietLog;

  std::unique_ptr<ports::Log> log_;
  store::Store store_;
  std::unique_ptr<ports::LedgerStore> ledgers_;
  std::optional<ports::Checkpoint> checkpoint_;
};

}  // namespace fluxora::load
