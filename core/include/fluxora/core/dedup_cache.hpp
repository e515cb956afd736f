#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fluxora::core {

/// Remembers the keys seen last, up to a number of them; the one not seen for longest goes first (LRU).
class DedupCache {
 public:
  /// `capacity`: 1 or more; 0 counts as 1.
  explicit DedupCache(std::size_t capacity);
  // The map's keys are views of the list's, which stay where they are in a move and not in a copy.
  DedupCache(DedupCache&&) = default;
  DedupCache& operator=(DedupCache&&) = default;
  DedupCache(const DedupCache&) = delete;
  DedupCache& operator=(const DedupCache&) = delete;
  ~DedupCache() = default;

  /// Notes a key as seen now. True when it is new, false when it was remembered.
  bool insert(std::string_view key);
  /// Asks only: the key's age stays as it is.
  [[nodiscard]] bool contains(std::string_view key) const;
  /// Forgets a key, so that it counts as new again. False when it wasn't remembered.
  bool erase(std::string_view key);
  void clear() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

 private:
  std::size_t capacity_;
  std::list<std::string> order_;  // newest first
  std::unordered_map<std::string_view, std::list<std::string>::iterator> places_;
};

}  // namespace fluxora::core
