#include "fluxora/telemetry/request_metrics.hpp"

#include <algorithm>

namespace fluxora::telemetry {
namespace {

// Of one route: far more combinations of method and status than any has; beyond, they are counted as "other".
constexpr std::size_t max_series = 64;
constexpr std::string_view unknown_route = "unknown";
constexpr unsigned aborted = 0;  // in a status's place

/// Counters that are made when they are first needed, and never removed.
class SeriesTable {
 public:
  void count(std::string_view method, unsigned status) noexcept {
    const std::uint32_t key = key_of(method, status);
    for (std::size_t i = 0; i < max_series; ++i) {
      Slot& slot = slots_[(key + i) % max_series];
      std::uint32_t holds = slot.key.load(std::memory_order_relaxed);
      if (holds == 0 && slot.key.compare_exchange_strong(holds, key, std::memory_order_relaxed)) holds = key;
      if (holds != key) continue;
      slot.count.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    beyond_.fetch_add(1, std::memory_order_relaxed);
  }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_) {
      const std::uint32_t key = slot.key.load(std::memory_order_relaxed);
      if (key != 0) visit(methods_[key >> 16], status_text(key & 0xffff), slot.count.load(std::memory_order_relaxed));
    }
    if (const std::uint64_t beyond = beyond_.load(std::memory_order_relaxed); beyond > 0)
      visit("other", "other", beyond);
  }

 private:
  struct Slot {
    std::atomic<std::uint32_t> key{0};  ///< 0: free
    std::atomic<std::uint64_t> count{0};
  };

  // 0 stays free for no key.
  static constexpr std::array<std::string_view, 11> methods_ = {
      "", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "_OTHER"};

  static std::string status_text(unsigned status) { return status == aborted ? "aborted" : std::to_string(status); }

  static std::uint32_t key_of(std::string_view method, unsigned status) noexcept {
    const auto* place = std::find(methods_.begin() + 1, methods_.end() - 1, method);
    return static_cast<std::uint32_t>(place - methods_.begin()) << 16 | (status & 0xffff);
  }

  std::array<Slot, max_series> slots_;
  std::atomic<std::uint64_t> beyond_{0};
};

}  // namespace

void DurationHistogram::record(std::chrono::microseconds duration) noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  const auto* bucket =
      std::find_if(bounds_us.begin(), bounds_us.end(), [us](std::uint32_t bound) { return us <= bound; });
  counts_[static_cast<std::size_t>(bucket - bounds_us.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(us, std::memory_order_relaxed);
}

void DurationHistogram::write(MetricsPage& page, MetricsPage::Labels labels) const {
  std::array<MetricsPage::Bucket, bounds_us.size()> buckets{};
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    buckets[i] = {std::chrono::microseconds(bounds_us[i]), counts_[i].load(std::memory_order_relaxed)};
  }
  page.add_histogram(buckets, counts_.back().load(std::memory_order_relaxed),
                     std::chrono::microseconds(sum_us_.load(std::memory_order_relaxed)), labels);
}

bool DurationHistogram::empty() const noexcept {
  return std::all_of(counts_.begin(), counts_.end(),
                     [](const auto& count) { return count.load(std::memory_order_relaxed) == 0; });
}

class RequestMetrics::Route {
 public:
  explicit Route(std::string_view pattern) : name(pattern) {}

  const std::string name;
  SeriesTable answers;
  DurationHistogram durations;
};

RequestMetrics::RequestMetrics(const net::Router& router) : unknown_(std::make_unique<Route>(unknown_route)) {
  for (const auto& [method, pattern] : router.routes()) routes_.try_emplace(pattern, std::make_unique<Route>(pattern));
}
RequestMetrics::~RequestMetrics() = default;

void RequestMetrics::record(std::string_view method, std::string_view route, unsigned status,
                            std::chrono::microseconds duration) noexcept {
  Route& counted = route_of(route);
  counted.answers.count(method, status);
  counted.durations.record(duration);
}

void RequestMetrics::record_aborted(std::string_view method, std::string_view route) noexcept {
  route_of(route).answers.count(method, aborted);
}

void RequestMetrics::record_endless(std::string_view method, std::string_view route, unsigned status) noexcept {
  route_of(route).answers.count(method, status);
}

RequestMetrics::Route& RequestMetrics::route_of(std::string_view route) noexcept {
  const auto found = routes_.find(route);
  return found == routes_.end() ? *unknown_ : *found->second;
}

void RequestMetrics::write(MetricsPage& page) const {
  const auto for_each_route = [this](auto visit) {
    for (const auto& [pattern, route] : routes_) visit(*route);
    visit(*unknown_);
  };
  page.counters("fluxora_http_requests_total", "Requests that have ended.");
  for_each_route([&](const Route& route) {
    route.answers.for_each([&](std::string_view method, const std::string& status, std::uint64_t count) {
      page.add_counter(count, {{"method", method}, {"route", route.name}, {"status", status}});
    });
  });
  page.histograms("fluxora_http_request_duration_seconds", "From a request's head to the end of its answer.");
  for_each_route([&](const Route& route) {
    if (!route.durations.empty()) route.durations.write(page, {{"route", route.name}});
  });
}

}  // namespace fluxora::telemetry
