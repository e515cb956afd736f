#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/readiness.hpp"

namespace fluxora::app {

/// Decides when this instance's clients are told that the service is in trouble, with the chain or with the database,
/// and that it is over. One notice a change, and no flapping: trouble is told when it has lasted for a while, its end
/// when it has stayed away for longer. SPEC section 6.
class ServiceWatch {
 public:
  static constexpr std::chrono::milliseconds patience{1'000};
  static constexpr std::chrono::milliseconds calm{3'000};

  /// Tells every client: trouble or its end, and a reason.
  using Tell = std::function<void(bool degraded, std::string_view reason)>;

  /// All outlive it.
  ServiceWatch(const ports::Readiness& database, ports::Clock& clock, ports::Log& log, Tell tell)
      : database_(database), clock_(clock), log_(log), tell_(std::move(tell)) {}
  ~ServiceWatch();
  ServiceWatch(const ServiceWatch&) = delete;
  ServiceWatch& operator=(const ServiceWatch&) = delete;

  void start();
  /// The clock must be ending, or its next sleep is waited for.
  void stop();

  /// How the chain is followed, by whichever instance, has changed. From any thread.
  void chain_changed(bool degraded, std::string_view reason);

  /// Looks once. start() calls it in a loop; tests call it themselves.
  void look();

 private:
  /// Why the service is in trouble now; empty: it isn't.
  [[nodiscard]] std::string trouble() const;

  const ports::Readiness& database_;
  ports::Clock& clock_;
  ports::Log& log_;
  const Tell tell_;
  mutable std::mutex mutex_;
  std::string chain_trouble_;
  bool degraded_ = false;  ///< what clients were told last
  std::string told_;       ///< the reason of the last trouble told
  std::optional<core::UnixMillis> differs_since_;
  std::thread thread_;
};

}  // namespace fluxora::app
