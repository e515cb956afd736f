#include "key_cache.hpp"

namespace fluxora::api {

KeyCache::Key KeyCache::remembered(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(id);
  if (place == places_.end()) return nullptr;
  const core::UnixMillis age = clock_.now() - place->second->asked_at;
  if (age < 0 || age >= life_ms_) {
    drop(place);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, place->second);
  return entries_.front().key;
}

void KeyCache::fetch(const std::string& id, Use use) {
  {
    const std::lock_guard lock(mutex_);
    std::vector<Use>& waiting = asked_[id];
    waiting.push_back(std::move(use));
    if (waiting.size() > 1) return;
  }
  // Counted from before the question, so that an answer under way can't outlive its time.
  keys_.find(id, [this, id, asked_at = clock_.now()](ports::StoreResult<std::optional<ports::ApiKey>> found) {
    answer(id, asked_at, std::move(found));
  });
}

void KeyCache::answer(const std::string& id, core::UnixMillis asked_at,
                      ports::StoreResult<std::optional<ports::ApiKey>> found) {
  ports::StoreResult<Key> key = tl::unexpected(ports::StoreFailure::internal);
  if (!found) {
    key = tl::unexpected(found.error());
  } else {
    key = *found ? std::make_shared<const ports::ApiKey>(std::move(**found)) : nullptr;
  }
  std::vector<Use> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (key && *key) remember(*key, asked_at);
    const auto asked = asked_.find(id);
    waiting = std::move(asked->second);
    asked_.erase(asked);
  }
  for (const Use& use : waiting) use(key);
}

void KeyCache::remember(Key key, core::UnixMillis asked_at) {
  const std::string id = key->id;
  if (const auto place = places_.find(id); place != places_.end()) drop(place);
  entries_.push_front({std::move(key), asked_at});
  places_.emplace(id, entries_.begin());
  if (entries_.size() > capacity_) drop(places_.find(entries_.back().key->id));
}

void KeyCache::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto place = places_.find(id); place != places_.end()) drop(place);
}

void KeyCache::drop(std::unordered_map<std::string, Entries::iterator>::iterator place) {
  entries_.erase(place->second);
  places_.erase(place);
}

}  // namespace fluxora::api
