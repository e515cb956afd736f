#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "command_queue.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/rate_counts.hpp"

namespace fluxora::redis {

/// Counts as keys that expire with their window: one command counts one and tells how many there are and for how long
/// yet. Keys hold a hash of the client, whose name may be anything and is nobody's business there.
class SharedRates final : public ports::RateCounts {
 public:
  /// Both from any thread. The prefix of all keys is empty as long as it isn't known whose log this instance follows.
  using Prefix = std::function<std::string()>;
  using Submit = std::function<bool(Command, CommandQueue::Answer)>;

  SharedRates(const ports::Clock& clock, Prefix prefix, Submit submit);

  bool add(std::string_view limit, std::string_view client, core::UnixMillis window_ms, Counted counted) override;

  struct Counts {
    std::uint64_t shared = 0;  ///< answered with the fleet's count
    std::uint64_t alone = 0;   ///< not: Redis was away, refused, or too much waited
  };
  [[nodiscard]] Counts counts() const;

 private:
  void answer(const Reply* reply, core::UnixMillis window_ms, const Counted& counted);

  const ports::Clock& clock_;
  const Prefix prefix_;
  const Submit submit_;
  std::atomic<std::uint64_t> shared_{0};
  std::atomic<std::uint64_t> alone_{0};
};

}  // namespace fluxora::redis
