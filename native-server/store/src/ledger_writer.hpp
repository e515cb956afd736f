#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connection.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "webhook_fan_out.hpp"

namespace fluxora::store {

/// Which log is held, and what it was filled with, where it was already.
struct HeldLog {
  std::string epoch;
  std::string network;
  std::string contracts;
};

class PostgresLedgerStore final : public ports::LedgerStore {
 public:
  explicit PostgresLedgerStore(StoreOptions options);

  bool lead() override;
  void stop_leading() noexcept override;
  ports::IndexProgress progress() override;
  void publish(const ports::LeaderReport& report) override;
  bool raise_alarm(ports::AlarmKind kind, const std::string& reason) override;
  bool clear_alarm(ports::AlarmKind kind) override;
  std::optional<ports::Checkpoint> open(const ports::Following& following) override;
  std::vector<ports::LedgerHeader> newest_ledgers(std::size_t limit) override;
  std::uint32_t rollback_step(std::uint32_t ledger, std::size_t max_entries) override;
  std::vector<ports::ObservationRequest> due_observations(std::uint32_t checkpoint, std::size_t limit) override;
  std::vector<std::string> streams_to_audit(const std::string& after, std::size_t limit) override;
  ports::AuditState audit_state() override;
  std::unique_ptr<ports::IngestTransaction> begin(const std::optional<ports::Checkpoint>& expected) override;
  std::unique_ptr<ports::IngestTransaction> begin_at_held(const ports::Following& following) override;

 private:
  [[nodiscard]] bool holds_lock() const noexcept;
  [[nodiscard]] WebhookFanOut* fan_out() noexcept { return fan_out_ ? &*fan_out_ : nullptr; }

  const long long leader_lock_;
  const std::uint64_t partition_entries_;
  OwnConnection connection_;
  std::optional<std::uint64_t> led_in_;  // the opening of the connection whose session took the advisory lock
  ports::Following following_;
  HeldLog known_;                         // as opened; before that, the epoch that was seen first
  std::optional<WebhookFanOut> fan_out_;  // none: nobody is told of a log that isn't served yet
};

/// As ports::IngestTransaction has it.
[[nodiscard]] std::vector<ports::StreamTail> read_streams_due(pqxx::transaction_base& sql, core::UnixSeconds after,
                                                              core::UnixSeconds through);

}  // namespace fluxora::store
