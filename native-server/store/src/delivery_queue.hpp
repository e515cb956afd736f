#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "fluxora/ports/delivery_queue.hpp"

namespace fluxora::store {

/// Each of its statements is sent as one text, which the database makes one transaction of: no lock of ours ever waits
/// for us. Appenders wait for those locks, and everybody for appenders.
class PostgresDeliveryQueue final : public ports::DeliveryQueue {
 public:
  explicit PostgresDeliveryQueue(StoreOptions options);

  ports::Claim claim(const ports::ClaimWish& wish) override;
  void record(const ports::DispatchRecord& record) override;
  ports::DisableEnd disable(std::uint64_t endpoint, const std::string& url, ports::DisableReason reason) override;
  void leave() override;

 private:
  using Clock = std::chrono::steady_clock;

  /// Runs `work` on the connection. Whatever the database doesn't do is ports::StoreUnavailable.
  template <class Work>
  auto use(Work work) -> decltype(work(std::declval<pqxx::connection&>()));
  /// Says that we live, where it is time to: as somebody new, where our time was over.
  void show_life(pqxx::connection& connection);
  /// Somebody takes our place who holds nothing yet. What we held is anyone's.
  void begin_anew(pqxx::connection& connection);
  /// Frees what dispatchers hold that are gone, and lets lanes of disabled endpoints rest. Now and then.
  void tidy_lanes(pqxx::connection& connection);
  std::vector<ports::ClaimedLane> claim_lanes(pqxx::connection& connection, const ports::ClaimWish& wish);
  void write(pqxx::connection& connection, const ports::DispatchRecord& record) const;

  OwnConnection connection_;
  std::uint64_t prepared_ = 0;               // the opening of the connection whose session has its settings
  std::optional<std::uint64_t> dispatcher_;  // who we are, in webhook_dispatchers
  bool claim_in_doubt_ = false;              // one was sent, and its answer didn't come
  bool lost_former_ = false;                 // to be said by the next claim
  Clock::time_point shown_life_;
  Clock::time_point tidied_lanes_;
  std::uint64_t last_served_ = 0;  // the endpoint behind which the next claim begins
};

}  // namespace fluxora::store
