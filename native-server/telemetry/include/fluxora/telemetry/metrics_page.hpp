#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fluxora::telemetry {

/// The media type of MetricsPage::text().
inline constexpr std::string_view metrics_media_type = "text/plain; version=0.0.4; charset=utf-8";

/// One reading of everything that is counted, in Prometheus' text format 0.0.4. Values under the same name must follow
/// each other. Labels hold what is known beforehand, never what a client chose and never a secret.
class MetricsPage {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  MetricsPage();
  ~MetricsPage();
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  /// Only grows while the process runs; the name ends in _total.
  void counter(std::string_view name, std::string_view help, std::uint64_t value, Labels labels = {});
  /// A counter of time.
  void counter(std::string_view name, std::string_view help, std::chrono::milliseconds value);
  void gauge(std::string_view name, std::string_view help, std::uint64_t value, Labels labels = {});
  /// A span of time or a moment, in seconds.
  void gauge(std::string_view name, std::string_view help, std::chrono::milliseconds value);

  struct Bucket {
    std::chrono::microseconds upper_bound;
    std::uint64_t count;  ///< of this bucket alone
  };
  /// A family that has no value yet still has its line about what it is.
  void histograms(std::string_view name, std::string_view help);
  void counters(std::string_view name, std::string_view help);
  /// To the family that was begun last: how long things took. `beyond`: how many took longer than the last bound.
  void add_histogram(std::span<const Bucket> buckets, std::uint64_t beyond, std::chrono::microseconds sum,
                     Labels labels);
  void add_counter(std::uint64_t value, Labels labels);

  [[nodiscard]] std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::telemetry
