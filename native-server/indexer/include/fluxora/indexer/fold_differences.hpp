#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fluxora::indexer {

/// Something that is held and isn't what the log says when it is folded again.
struct FoldDifference {
  enum class Of : std::uint8_t { entry, stream, ledger, checkpoint, pruned };

  Of of = Of::entry;
  std::string name;                   ///< the entry's seq, the stream's id, the ledger's number; else empty
  std::string field;                  ///< the column
  std::optional<std::string> held;    ///< none: NULL, or no row
  std::optional<std::string> folded;  ///< what it should be; none: NULL, or no row
};

/// Counts all, and keeps the first of them.
class FoldDifferences {
 public:
  static constexpr std::size_t kept_at_most = 100;

  void add(FoldDifference difference) {
    ++count_;
    if (kept_.size() < kept_at_most) kept_.push_back(std::move(difference));
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const std::vector<FoldDifference>& kept() const { return kept_; }

 private:
  std::uint64_t count_ = 0;
  std::vector<FoldDifference> kept_;
};

}  // namespace fluxora::indexer
