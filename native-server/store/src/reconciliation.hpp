#pragma once

#include "fluxora/ports/reconciliation.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// What the audit has written, on the read pool.
class PostgresReconciliation final : public ports::Reconciliation {
 public:
  explicit PostgresReconciliation(ReadPool& pool) : pool_(pool) {}

  void read(std::optional<std::uint64_t> before, std::size_t limit,
            ports::Reply<ports::ReconciliationPage> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
