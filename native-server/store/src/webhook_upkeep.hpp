#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "connection.hpp"
#include "fluxora/ports/webhook_upkeep.hpp"

namespace fluxora::store {

class PostgresWebhookUpkeep final : public ports::WebhookUpkeep {
 public:
  explicit PostgresWebhookUpkeep(const StoreOptions& options);

  ports::ConfiguredChange configure(const std::optional<ports::ConfiguredEndpoint>& endpoint, bool starts) override;
  bool disable(std::uint64_t endpoint, ports::DisableReason reason) override;
  bool advance_replay(std::size_t entries, std::size_t most_waiting) override;
  std::size_t prune(core::UnixMillis before, std::size_t limit) override;
  ports::DeliveryBacklog backlog(std::size_t most_waiting) override;
  std::vector<ports::SealedSecret> sealed_secrets(const std::optional<ports::SealedSecret>& after,
                                                  std::size_t limit) override;
  bool reseal(const ports::SealedSecret& secret, const core::Bytes& sealed) override;

 private:
  /// As OwnConnection's; here the database's refusals, a statement that took too long for one, are outages too.
  template <class Work>
  auto use(Work work) -> decltype(work(std::declval<pqxx::connection&>()));

  OwnConnection connection_;
};

}  // namespace fluxora::store
