#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fluxora/net/router.hpp"
#include "fluxora/telemetry/metrics_page.hpp"

namespace fluxora::telemetry {

/// How many took up to how long. Bounds fit answers from memory, from the database and ones that waited. From any
/// thread, without a lock.
class DurationHistogram {
 public:
  /// In microseconds.
  static constexpr std::array<std::uint32_t, 16> bounds_us = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

  void record(std::chrono::microseconds duration) noexcept;
  void write(MetricsPage& page, MetricsPage::Labels labels) const;
  [[nodiscard]] bool empty() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> counts_{};  ///< the last: beyond every bound
  std::atomic<std::uint64_t> sum_us_{0};
};

/// Answers counted by method, route and status, and how long they took by route. The number of series is bounded: a
/// path that is no route's and a method that HTTP doesn't know have one label each. From any thread, without a lock.
class RequestMetrics {
 public:
  explicit RequestMetrics(const net::Router& router);
  ~RequestMetrics();
  RequestMetrics(const RequestMetrics&) = delete;
  RequestMetrics& operator=(const RequestMetrics&) = delete;

  /// `route` empty, or not one of the routes: "unknown".
  void record(std::string_view method, std::string_view route, unsigned status,
              std::chrono::microseconds duration) noexcept;
  /// One whose connection ended before its response did: counted with the status "aborted", without a duration.
  void record_aborted(std::string_view method, std::string_view route) noexcept;
  /// One whose answer went on for as long as its client liked: counted with its status, without a duration.
  void record_endless(std::string_view method, std::string_view route, unsigned status) noexcept;
  /// Adds what was counted; series appear with their first request.
  void write(MetricsPage& page) const;

 private:
  class Route;
  [[nodiscard]] Route& route_of(std::string_view route) noexcept;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };

  std::unordered_map<std::string, std::unique_ptr<Route>, Hash, std::equal_to<>> routes_;  // not changed any more
  std::unique_ptr<Route> unknown_;
};

}  // namespace fluxora::telemetry
