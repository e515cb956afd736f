#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "fluxora/api/api.hpp"

namespace fluxora::api {

/// How many sockets each address has open, over all I/O threads.
class AddressLimit {
 public:
  explicit AddressLimit(std::size_t limit) : limit_(limit) {}

  /// Holds a place until it goes.
  class Place {
   public:
    Place(AddressLimit& limit, std::string address) : limit_(limit), address_(std::move(address)) {}
    ~Place() { limit_.give_back(address_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    AddressLimit& limit_;
    std::string address_;
  };

  /// None when the address has all it may have. The limit outlives the place.
  [[nodiscard]] std::unique_ptr<Place> take(const std::string& address);
  [[nodiscard]] bool has_room(const std::string& address) const;

 private:
  void give_back(const std::string& address);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> open_;
};

}  // namespace fluxora::api
