#pragma once

#include "connection.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::store {

class PostgresLedgerStore final : public ports::LedgerStore {
 public:
  explicit PostgresLedgerStore(StoreOptions options);

  bool lead() override;
  void stop_leading() noexcept override;
  ports::IndexProgress progress() override;
  std::optional<ports::Checkpoint> open(const ports::Following& following) override;
  std::vector<ports::LedgerHeader> newest_ledgers(std::size_t limit) override;
  std::uint32_t rollback_step(std::uint32_t ledger, std::size_t max_entries) override;
  std::unique_ptr<ports::IngestTransaction> begin(const std::optional<ports::Checkpoint>& expected) override;

 private:
  OwnConnection connection_;
  bool leading_ = false;  // holds the advisory lock, as long as the connection lives
  ports::Following following_;
  std::optional<ports::Checkpoint> stored_;  // what the row has, as we last saw it
};

}  // namespace fluxora::store
