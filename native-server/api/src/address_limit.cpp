#include "address_limit.hpp"

#include <utility>

#include "rate_limit.hpp"

namespace fluxora::api {

std::unique_ptr<AddressLimit::Place> AddressLimit::take(const std::string& address) {
  std::string client = address_client(address);
  const std::lock_guard lock(mutex_);
  if (!has_room_for(client)) return nullptr;
  const std::size_t here = ++open_[client];
  // Under the lock, so that the last count told is the last there was.
  if (fleet_ != nullptr) fleet_->changed(client, here);
  return std::make_unique<Place>(*this, std::move(client));
}

bool AddressLimit::has_room(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  return has_room_for(address_client(address));
}

bool AddressLimit::has_room_for(const std::string& client) const {
  const auto found = open_.find(client);
  const std::size_t here = found == open_.end() ? 0 : found->second;
  return here + (fleet_ != nullptr ? fleet_->elsewhere(client) : 0) < limit_;
}

void AddressLimit::give_back(const std::string& client) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(client);
  const std::size_t here = --found->second;
  if (fleet_ != nullptr) fleet_->changed(client, here);
  if (here == 0) open_.erase(found);
}

}  // namespace fluxora::api
