#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "fluxora/ports/api_keys.hpp"
#include "fluxora/ports/clock.hpp"

namespace fluxora::api {

/// Remembers API keys for a moment, so that a busy one costs no database round trip each time. Only keys that there
/// are: guesses don't push them out. From any thread; what is fetched calls back on a thread of the store's.
class KeyCache {
 public:
  KeyCache(ports::ApiKeys& keys, const ports::Clock& clock, core::UnixMillis life_ms, std::size_t capacity)
      : keys_(keys), clock_(clock), life_ms_(life_ms), capacity_(capacity) {}

  using Key = std::shared_ptr<const ports::ApiKey>;  ///< null: there is no such key
  using Use = std::function<void(ports::StoreResult<Key>)>;

  /// The key as it was within its life; null when it isn't remembered.
  [[nodiscard]] Key remembered(const std::string& id);
  /// Asks the store, once for all that ask at the same time.
  void fetch(const std::string& id, Use use);
  void forget(const std::string& id);

 private:
  struct Entry {
    Key key;
    core::UnixMillis asked_at;
  };
  using Entries = std::list<Entry>;

  void answer(const std::string& id, core::UnixMillis asked_at, ports::StoreResult<std::optional<ports::ApiKey>> found);
  void remember(Key key, core::UnixMillis asked_at);
  void drop(std::unordered_map<std::string, Entries::iterator>::iterator place);

  ports::ApiKeys& keys_;
  const ports::Clock& clock_;
  const core::UnixMillis life_ms_;
  const std::size_t capacity_;
  std::mutex mutex_;
  Entries entries_;  // the one used last is first
  std::unordered_map<std::string, Entries::iterator> places_;
  std::map<std::string, std::vector<Use>> asked_;  // at most one for each open request
};

}  // namespace fluxora::api
