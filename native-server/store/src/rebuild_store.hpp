#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "fluxora/ports/rebuild_store.hpp"
#include "log_scan.hpp"

namespace fluxora::store {

/// The advisory lock of whoever folds the log again ("fluxrbld").
inline constexpr long long rebuild_lock = 0x666c757872626c64;

class PostgresRebuildStore final : public ports::RebuildStore {
 public:
  PostgresRebuildStore(StoreOptions options, std::string actor);

  bool claim() override;
  std::optional<ports::RebuildPlace> place() override;
  void load(const std::function<void(core::Stream)>& take) override;
  void save(const ports::RebuildPlace& place, const std::vector<ports::RebuiltStream>& changed) override;
  void forget_place() override;
  ports::LogScan& log() override { return log_; }
  std::unique_ptr<ports::LogScan> snapshot() override;
  std::unique_ptr<ports::RebuildEnd> lock_end() override;

 private:
  const std::string actor_;
  OwnConnection connection_;  ///< its session holds the claim
  PostgresLogScan log_;
};

}  // namespace fluxora::store
