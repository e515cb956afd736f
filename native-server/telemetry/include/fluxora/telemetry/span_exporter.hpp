#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/telemetry/finished_span.hpp"

namespace fluxora::telemetry {

/// What became of one attempt to send spans.
struct ExportOutcome {
  enum class Kind : std::uint8_t { accepted, try_again, refused };
  Kind kind = Kind::accepted;
  std::uint64_t rejected_spans = 0;                 ///< of an accepted batch: OTLP's partial success
  std::optional<std::chrono::seconds> retry_after;  ///< what the collector asks for
  std::string why;                                  ///< one sentence for the log, without secrets; empty when accepted
};

/// The way to a collector.
class SpanTransport {
 public:
  virtual ~SpanTransport() = default;
  /// Blocks; throws nothing.
  virtual ExportOutcome send(const std::string& body) noexcept = 0;
  /// Ends the sending under way and every later one. From any thread.
  virtual void cancel() noexcept = 0;
};

/// The bounds of what waits and of how long is tried; OpenTelemetry's defaults where it has some.
struct SpanExporterOptions {
  Resource resource;
  std::size_t queue_limit = 2'048;         ///< spans waiting; beyond, they are dropped and counted
  std::size_t batch = 512;                 ///< most spans a request
  unsigned attempts = 5;                   ///< of one batch
  std::chrono::milliseconds delay{1'000};  ///< how long a span may wait for company
  std::chrono::milliseconds first_backoff{1'000};
  std::chrono::milliseconds longest_backoff{30'000};
};

struct SpanExporterStatistics {
  std::uint64_t exported = 0;  ///< spans that the collector took
  std::uint64_t dropped = 0;   ///< spans that found the queue full, or were left at the end
  std::uint64_t failed = 0;    ///< spans that the collector refused, or that couldn't be sent
  std::size_t waiting = 0;
};

/// Sends spans in batches from a thread of its own, with retries as OTLP has them. Whatever the collector does, who
/// adds a span never waits.
class SpanExporter {
 public:
  /// `random` and `log` outlive it.
  SpanExporter(SpanExporterOptions options, std::unique_ptr<SpanTransport> transport, ports::Random& random,
               ports::Log& log);
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  /// From any thread.
  void add(FinishedSpan span);
  /// Sends what waits, each batch with one attempt; after `grace` drops the rest. Later spans are dropped.
  void stop(std::chrono::milliseconds grace);
  [[nodiscard]] SpanExporterStatistics statistics() const;

 private:
  void run();
  std::vector<FinishedSpan> take_batch();
  void send(const std::vector<FinishedSpan>& batch);
  ExportOutcome send_with_retries(const std::string& body);
  [[nodiscard]] std::chrono::milliseconds with_jitter(std::chrono::milliseconds backoff);
  void tell(const ExportOutcome& outcome);

  const SpanExporterOptions options_;
  const std::unique_ptr<SpanTransport> transport_;
  ports::Random& random_;
  ports::Log& log_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<FinishedSpan> queue_;
  SpanExporterStatistics counts_;
  bool stopping_ = false;
  bool cut_ = false;         ///< the grace is over
  bool done_ = false;        ///< the thread has nothing left to do
  bool in_trouble_ = false;  // the thread's own
  std::thread thread_;
};

}  // namespace fluxora::telemetry
