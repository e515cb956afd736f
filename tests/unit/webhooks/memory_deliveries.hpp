#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/webhooks.hpp"

namespace fluxora::webhooks::test {

/// The database's part of deliveries, in memory: what ports::DeliveryQueue promises to any number of dispatchers.
class MemoryDeliveries {
 public:
  struct Endpoint {
    ports::EndpointTarget target;
    bool enabled = true;
    std::string disabled_reason;
    std::optional<core::UnixMillis> disabled_at;
  };
  struct Delivery {
    ports::DeliveryState state = ports::DeliveryState::waiting;
    unsigned attempts = 0;
    unsigned tries = 0;
    bool was_dead = false;
  };
  struct Lane {
    core::UnixMillis due_at = 0;
    std::optional<std::uint64_t> claimed_by;
    int owner = 0;  ///< of the queue that claimed it last
  };
  using DeliveryKey = std::pair<ports::LaneKey, std::uint64_t>;  ///< a lane and a seq

  /// What goes wrong at a call: nothing, before it did anything, or when all was done.
  enum class Fault : std::uint8_t { none, before, after };

  explicit MemoryDeliveries(const ports::Clock& clock) : clock_(clock) {}

  void add_endpoint(std::uint64_t id, std::string url = "https://receiver.example/hook");
  void add(std::uint64_t endpoint, const std::string& lane, std::uint64_t seq);
  void enable(std::uint64_t endpoint);
  void disable(std::uint64_t endpoint, const std::string& reason);
  /// It waits again, with all tries before it.
  void redeliver(const DeliveryKey& key);
  /// A dispatcher's side; lives no longer than this. `owner`: what its lanes are marked with.
  [[nodiscard]] std::unique_ptr<ports::DeliveryQueue> make_queue(int owner = 0);

  [[nodiscard]] Delivery& delivery(std::uint64_t endpoint, const std::string& lane, std::uint64_t seq);
  [[nodiscard]] std::vector<ports::AttemptRecord> attempts_of(const DeliveryKey& key) const;
  [[nodiscard]] const Lane* lane(std::uint64_t endpoint, const std::string& lane) const;

  static constexpr const char* epoch = "e1";

  std::map<std::uint64_t, Endpoint> endpoints;
  std::map<DeliveryKey, Delivery> deliveries;
  std::map<ports::LaneKey, Lane> lanes;
  std::vector<ports::AttemptRecord> attempts;
  std::function<Fault()> next_fault = [] { return Fault::none; };
  std::size_t body_bytes = 20;
  bool may_disable = true;  ///< false: others keep everybody from it
  std::size_t disable_calls = 0;

 private:
  class Queue;

  [[nodiscard]] bool is_alive(std::uint64_t dispatcher) const;
  [[nodiscard]] bool has_waiting(const ports::LaneKey& key) const;
  void open_lane(const ports::LaneKey& key);
  [[nodiscard]] std::vector<ports::ClaimedDelivery> waiting_in(const ports::LaneKey& key) const;
  ports::Claim claim(std::uint64_t dispatcher, int owner, const ports::ClaimWish& wish);
  void record(std::uint64_t dispatcher, const ports::DispatchRecord& record);
  void release(std::uint64_t dispatcher, const ports::LaneRelease& release);
  void release_all(std::uint64_t dispatcher);

  const ports::Clock& clock_;
  std::map<std::uint64_t, core::UnixMillis> alive_until_;  // of each dispatcher
  std::uint64_t last_dispatcher_ = 0;
};

}  // namespace fluxora::webhooks::test
