#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "fluxora/api/api.hpp"

namespace fluxora::api {

/// How many sockets each address has open, over all I/O threads.
class AddressLimit {
 public:
  explicit AddressLimit(std::size_t limit) : limit_(limit) {}

  /// A place that is held until the returned object goes; none when the address has all it may have.
  [[nodiscard]] std::shared_ptr<void> take(const std::string& address);
  [[nodiscard]] bool has_room(const std::string& address) const;

 private:
  void give_back(const std::string& address);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> open_;
};

}  // namespace fluxora::api
