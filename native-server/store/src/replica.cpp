#include "replica.hpp"

namespace fluxora::store {

std::optional<std::string> Replica::epoch() {
  if (!watch_.is_well()) return std::nullopt;
  const DatabaseWatch::Sight ours = primary_.last_sight();
  DatabaseWatch::Sight its = watch_.last_sight();
  if (ours.epoch.empty() || its.epoch.empty()) return std::nullopt;
  const Verdict verdict = !its.standby              ? Verdict::no_standby
                          : its.epoch != ours.epoch ? Verdict::other_log
                          : is_behind()             ? Verdict::behind
                                                    : Verdict::good;
  tell(verdict);
  if (verdict != Verdict::good) return std::nullopt;
  return std::move(its.epoch);
}

void Replica::compare(const DatabaseWatch::Sight& its) {
  const DatabaseWatch::Sight ours = primary_.last_sight();
  const std::lock_guard lock(mutex_);
  lag_.note(ours, its, std::chrono::steady_clock::now());
}

bool Replica::is_behind() {
  const std::lock_guard lock(mutex_);
  return lag_.is_too_long(std::chrono::steady_clock::now());
}

void Replica::tell(Verdict verdict) {
  {
    const std::lock_guard lock(mutex_);
    if (told_ == verdict) return;
    told_ = verdict;
  }
  switch (verdict) {
    case Verdict::good: return log_.info("replica_in_use", "");
    case Verdict::no_standby: return log_.warn("replica_refused", "DATABASE_REPLICA_URL is no standby: it isn't used.");
    case Verdict::other_log:
      return log_.warn("replica_refused", "The replica holds another log than the primary: it isn't used.");
    case Verdict::behind:
      return log_.warn("replica_refused", "The replica is more than 10 s behind the primary: it isn't used.");
    case Verdict::none: return;
  }
}

}  // namespace fluxora::store
