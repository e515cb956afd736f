#include "fluxora/telemetry/metrics_page.hpp"

#include <sstream>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace fluxora::telemetry {
namespace {

using Seconds = std::chrono::duration<double>;

prometheus::ClientMetric labelled(MetricsPage::Labels labels) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({std::string(name), std::string(value)});
  return metric;
}

}  // namespace

class MetricsPage::Impl {
 public:
  prometheus::MetricFamily& family(std::string_view name, std::string_view help, prometheus::MetricType type) {
    if (families.empty() || families.back().name != name) {
      families.push_back({std::string(name), std::string(help), type, {}});
    }
    return families.back();
  }
  void gauge(std::string_view name, std::string_view help, double value, Labels labels) {
    prometheus::ClientMetric metric = labelled(labels);
    metric.gauge.value = value;
    family(name, help, prometheus::MetricType::Gauge).metric.push_back(std::move(metric));
  }
  void counter(std::string_view name, std::string_view help, double value, Labels labels) {
    prometheus::ClientMetric metric = labelled(labels);
    metric.counter.value = value;
    family(name, help, prometheus::MetricType::Counter).metric.push_back(std::move(metric));
  }

  std::vector<prometheus::MetricFamily> families;
};

MetricsPage::MetricsPage() : impl_(std::make_unique<Impl>()) {}
MetricsPage::~MetricsPage() = default;

void MetricsPage::counter(std::string_view name, std::string_view help, std::uint64_t value, Labels labels) {
  impl_->counter(name, help, static_cast<double>(value), labels);
}
void MetricsPage::counter(std::string_view name, std::string_view help, std::chrono::milliseconds value) {
  impl_->counter(name, help, Seconds(value).count(), {});
}
void MetricsPage::gauge(std::string_view name, std::string_view help, std::uint64_t value, Labels labels) {
  impl_->gauge(name, help, static_cast<double>(value), labels);
}
void MetricsPage::gauge(std::string_view name, std::string_view help, std::chrono::milliseconds value) {
  impl_->gauge(name, help, Seconds(value).count(), {});
}

void MetricsPage::histograms(std::string_view name, std::string_view help) {
  impl_->family(name, help, prometheus::MetricType::Histogram);
}
void MetricsPage::counters(std::string_view name, std::string_view help) {
  impl_->family(name, help, prometheus::MetricType::Counter);
}

void MetricsPage::add_counter(std::uint64_t value, Labels labels) {
  prometheus::ClientMetric metric = labelled(labels);
  metric.counter.value = static_cast<double>(value);
  impl_->families.back().metric.push_back(std::move(metric));
}

void MetricsPage::add_histogram(std::span<const Bucket> buckets, std::uint64_t beyond, std::chrono::microseconds sum,
                                Labels labels) {
  prometheus::ClientMetric metric = labelled(labels);
  std::uint64_t count = 0;
  for (const Bucket& bucket : buckets) {
    count += bucket.count;
    metric.histogram.bucket.push_back({count, Seconds(bucket.upper_bound).count()});
  }
  // The serializer adds the bucket without a bound, which holds all of them.
  metric.histogram.sample_count = count + beyond;
  metric.histogram.sample_sum = Seconds(sum).count();
  impl_->families.back().metric.push_back(std::move(metric));
}

std::string MetricsPage::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, impl_->families);
  return std::move(out).str();
}

}  // namespace fluxora::telemetry
