#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace fluxora::load {

/// How the load client asks a hub under load for updates: a datagram on the loopback interface for each burst, whose
/// text is how many updates the burst has.
class BurstRequests {
 public:
  /// Any free port. Throws std::system_error.
  BurstRequests();
  ~BurstRequests();
  BurstRequests(const BurstRequests&) = delete;
  BurstRequests& operator=(const BurstRequests&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// The next burst's size; none when nobody asked within the time.
  [[nodiscard]] std::optional<std::size_t> next(std::chrono::milliseconds timeout);

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

/// The other side.
class BurstAsker {
 public:
  explicit BurstAsker(std::uint16_t port);
  ~BurstAsker();
  BurstAsker(const BurstAsker&) = delete;
  BurstAsker& operator=(const BurstAsker&) = delete;

  void ask(std::size_t updates);

 private:
  int socket_;
};

/// Most updates of one burst.
inline constexpr std::size_t max_burst = 1'000;

}  // namespace fluxora::load
