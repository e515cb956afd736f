#include "connectivity.hpp"

namespace fluxora::redis {

void Connectivity::up(Part part) {
  const std::lock_guard lock(mutex_);
  up_[static_cast<std::size_t>(part)] = true;
  if (!told_down_ || !up_[0] || !up_[1]) return;
  told_down_ = false;
  log_.info("redis_recovered", "");
}

void Connectivity::down(Part part, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  up_[static_cast<std::size_t>(part)] = false;
  if (told_down_) return;
  told_down_ = true;
  log_.warn("redis_unavailable", reason);
}

void Connectivity::refused(std::string_view text) {
  const std::lock_guard lock(mutex_);
  refused_ = true;
  if (told_refusals_.size() >= max_refusals || !told_refusals_.emplace(text).second) return;
  log_.warn("redis_refused", text);
}

void Connectivity::accepted() {
  const std::lock_guard lock(mutex_);
  refused_ = false;
}

bool Connectivity::is_well() const {
  const std::lock_guard lock(mutex_);
  return up_[0] && up_[1] && !refused_;
}

}  // namespace fluxora::redis
