#include "fluxora/telemetry/span_exporter.hpp"

#include <algorithm>
#include <iterator>

namespace fluxora::telemetry {

using std::chrono::milliseconds;
using Kind = ExportOutcome::Kind;

SpanExporter::SpanExporter(SpanExporterOptions options, std::unique_ptr<SpanTransport> transport, ports::Random& random,
                           ports::Log& log)
    : options_(std::move(options)), transport_(std::move(transport)), random_(random), log_(log) {
  thread_ = std::thread([this] { run(); });
}

SpanExporter::~SpanExporter() {
  stop(milliseconds(0));
}

void SpanExporter::add(FinishedSpan span) {
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_limit) {
      ++counts_.dropped;
      return;
    }
    queue_.push_back(std::move(span));
    full = queue_.size() == 1 || queue_.size() == options_.batch;
  }
  if (full) wake_.notify_one();
}

void SpanExporter::stop(milliseconds grace) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    ended_.wait_for(lock, grace, [this] { return done_; });
    cut_ = true;
  }
  if (!thread_.joinable()) return;
  transport_->cancel();
  thread_.join();
}

SpanExporterStatistics SpanExporter::statistics() const {
  const std::lock_guard lock(mutex_);
  SpanExporterStatistics statistics = counts_;
  statistics.waiting = queue_.size();
  return statistics;
}

void SpanExporter::run() {
  for (std::vector<FinishedSpan> batch = take_batch(); !batch.empty(); batch = take_batch()) send(batch);
  const std::lock_guard lock(mutex_);
  counts_.dropped += queue_.size();
  queue_.clear();
  done_ = true;
  ended_.notify_all();
}

/// Waits for spans; empty at the end.
std::vector<FinishedSpan> SpanExporter::take_batch() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  wake_.wait_for(lock, options_.delay, [this] { return stopping_ || queue_.size() >= options_.batch; });
  if (cut_) return {};
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.batch));
  std::vector<FinishedSpan> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return batch;
}

void SpanExporter::send(const std::vector<FinishedSpan>& batch) {
  const ExportOutcome outcome = send_with_retries(otlp_json(options_.resource, batch));
  tell(outcome);
  const std::uint64_t spans = batch.size();
  const std::uint64_t lost = outcome.kind == Kind::accepted ? std::min(outcome.rejected_spans, spans) : spans;
  const std::lock_guard lock(mutex_);
  counts_.exported += spans - lost;
  counts_.failed += lost;
}

ExportOutcome SpanExporter::send_with_retries(const std::string& body) {
  milliseconds backoff = options_.first_backoff;
  for (unsigned attempt = 1;; ++attempt) {
    ExportOutcome outcome = transport_->send(body);
    if (outcome.kind != Kind::try_again || attempt == options_.attempts) return outcome;
    tell(outcome);
    const milliseconds wanted = outcome.retry_after ? milliseconds(*outcome.retry_after) : with_jitter(backoff);
    std::unique_lock lock(mutex_);
    // At the end nothing is tried twice: there may be no collector any more.
    if (wake_.wait_for(lock, std::min(wanted, options_.longest_backoff), [this] { return stopping_; })) return outcome;
    backoff = std::min(backoff * 2, options_.longest_backoff);
  }
}

/// Half of it to all of it, so that a fleet doesn't come back as one.
milliseconds SpanExporter::with_jitter(milliseconds backoff) {
  std::array<std::uint8_t, 1> byte{};
  random_.fill(byte);
  return backoff / 2 + backoff * byte[0] / 510;
}

/// One line when trouble begins and one when it is over.
void SpanExporter::tell(const ExportOutcome& outcome) {
  const bool trouble = outcome.kind != Kind::accepted || outcome.rejected_spans > 0;
  if (trouble == in_trouble_) return;
  in_trouble_ = trouble;
  if (trouble) {
    log_.warn("trace_export_failed", outcome.why);
  } else {
    log_.info("trace_export_recovered", "");
  }
}

}  // namespace fluxora::telemetry
