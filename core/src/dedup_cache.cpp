#include "fluxora/core/dedup_cache.hpp"

#include <algorithm>

namespace fluxora::core {

DedupCache::DedupCache(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

bool DedupCache::insert(std::string_view key) {
  if (const auto place = places_.find(key); place != places_.end()) {
    order_.splice(order_.begin(), order_, place->second);
    return false;
  }
  if (order_.size() == capacity_) {
    places_.erase(order_.back());
    order_.pop_back();
  }
  order_.emplace_front(key);
  places_.emplace(order_.front(), order_.begin());
  return true;
}

bool DedupCache::contains(std::string_view key) const {
  return places_.find(key) != places_.end();
}

bool DedupCache::erase(std::string_view key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return false;
  const auto entry = place->second;
  places_.erase(place);
  order_.erase(entry);
  return true;
}

void DedupCache::clear() noexcept {
  places_.clear();
  order_.clear();
}

}  // namespace fluxora::core
