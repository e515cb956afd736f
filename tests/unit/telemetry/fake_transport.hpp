#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "fluxora/telemetry/span_exporter.hpp"

namespace fluxora::telemetry::test {

/// What a collector got and what it says, kept by the test beyond the exporter that owns the transport.
class Collector {
 public:
  /// Outcomes of the next sends, in order; accepted when there is none left.
  void say(std::vector<ExportOutcome> outcomes) {
    const std::lock_guard lock(mutex_);
    outcomes_ = std::move(outcomes);
  }
  /// From now on sends wait until they are cancelled or let go.
  void hang() {
    const std::lock_guard lock(mutex_);
    hanging_ = true;
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    hanging_ = false;
    changed_.notify_all();
  }
  void wait_for_sends(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return bodies_.size() >= count; });
  }
  [[nodiscard]] std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  /// All spans that were sent, in order.
  [[nodiscard]] std::vector<nlohmann::json> spans() const {
    std::vector<nlohmann::json> all;
    for (const std::string& body : bodies()) {
      const auto sent = nlohmann::json::parse(body);
      for (const auto& span : sent["resourceSpans"][0]["scopeSpans"][0]["spans"]) all.push_back(span);
    }
    return all;
  }

  ExportOutcome take(const std::string& body) {
    std::unique_lock lock(mutex_);
    bodies_.push_back(body);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !hanging_ || cancelled_; });
    if (cancelled_) return {ExportOutcome::Kind::refused, 0, {}, "cancelled"};
    if (outcomes_.empty()) return {};
    ExportOutcome outcome = outcomes_.front();
    outcomes_.erase(outcomes_.begin());
    return outcome;
  }
  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> bodies_;
  std::vector<ExportOutcome> outcomes_;
  bool hanging_ = false;
  bool cancelled_ = false;
};

class FakeTransport final : public SpanTransport {
 public:
  explicit FakeTransport(Collector& collector) : collector_(collector) {}
  ExportOutcome send(const std::string& body) noexcept override { return collector_.take(body); }
  void cancel() noexcept override { collector_.cancel(); }

 private:
  Collector& collector_;
};

}  // namespace fluxora::telemetry::test
