#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "fluxora/ports/log.hpp"

namespace fluxora::redis {

/// Whether Redis is in reach and does as it is asked, over both connections. An outage is logged once, and so is its
/// end; of the refusals of one text the first. From any thread.
class Connectivity {
 public:
  enum class Part : std::uint8_t { commands, subscription };

  explicit Connectivity(ports::Log& log) : log_(log) {}

  void up(Part part);
  void down(Part part, std::string_view reason);
  /// A command was answered with an error; `text`: refusal_text().
  void refused(std::string_view text);
  /// All that was sent at once was answered well.
  void accepted();
  [[nodiscard]] bool is_well() const;

 private:
  static constexpr std::size_t max_refusals = 16;

  ports::Log& log_;
  mutable std::mutex mutex_;
  std::array<bool, 2> up_{};
  bool told_down_ = false;
  bool refused_ = false;
  std::set<std::string, std::less<>> told_refusals_;
};

}  // namespace fluxora::redis
