#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "fluxora/ports/connection_counts.hpp"

namespace fluxora::api {

/// How many feeds each address may have open, WebSocket and SSE together, over all I/O threads and, where counts are
/// shared, over all instances. An address is counted as address_client() names it. SPEC section 6.
class AddressLimit {
 public:
  /// `fleet`, where there is one, outlives this.
  explicit AddressLimit(std::size_t limit, ports::ConnectionCounts* fleet = nullptr) : limit_(limit), fleet_(fleet) {}

  /// Holds a place until it goes. From any thread.
  class Place {
   public:
    Place(AddressLimit& limit, std::string client) : limit_(limit), client_(std::move(client)) {}
    ~Place() { limit_.give_back(client_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    AddressLimit& limit_;
    std::string client_;
  };

  /// None when the address has all it may have. The limit outlives the place.
  [[nodiscard]] std::unique_ptr<Place> take(const std::string& address);
  /// Whether take() would give one.
  [[nodiscard]] bool has_room(const std::string& address) const;

 private:
  [[nodiscard]] bool has_room_for(const std::string& client) const;  // under the mutex
  void give_back(const std::string& client);

  const std::size_t limit_;
  ports::ConnectionCounts* const fleet_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> open_;
};

}  // namespace fluxora::api
