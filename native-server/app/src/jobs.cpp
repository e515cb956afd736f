#include "jobs.hpp"

#include <chrono>
#include <utility>

#include "fluxora/indexer/rebuild.hpp"
#include "fluxora/indexer/replay.hpp"
#include "fluxora/store/store.hpp"
#include "options.hpp"

namespace fluxora::app {
namespace {

using std::chrono::milliseconds;

constexpr core::UnixMillis report_interval_ms = 500;
constexpr milliseconds look_interval{1'000};

/// A job's own lines in the log: its indexer says the same as the one beside it.
class JobLog final : public ports::Log {
 public:
  explicit JobLog(ports::Log& log) : log_(log) {}
  void write(ports::LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<ports::LogField> fields) override {
    log_.write(level, "replay_" + std::string(event), message, fields);
  }

 private:
  ports::Log& log_;
};

JobEnd failed(std::string message) {
  return {JobEnd::How::failed, std::move(message)};
}

/// Sentences of ours. Others may quote the database or a server, and those stay in the log.
bool is_for_operators(const std::exception& error) {
  return dynamic_cast<const indexer::ReplayFailed*>(&error) != nullptr ||
         dynamic_cast<const indexer::LogUnfoldable*>(&error) != nullptr ||
         dynamic_cast<const indexer::RebuildRunning*>(&error) != nullptr ||
         dynamic_cast<const ports::OtherReplay*>(&error) != nullptr ||
         dynamic_cast<const ports::ForeignLog*>(&error) != nullptr;
}

}  // namespace

JobReport::JobReport(std::uint64_t job, ports::JobQueue& queue, const ports::Clock& clock, ports::JobProgress* shown,
                     std::function<bool(const ports::JobPlace&)> on_place)
    : job_(job), queue_(queue), clock_(clock), shown_(shown), on_place_(std::move(on_place)) {}

bool JobReport::reached(std::uint64_t done, std::uint64_t total, std::uint64_t rows) {
  const core::UnixMillis now = clock_.now();
  pace_.at({done, total, rows}, now);
  const ports::JobPlace place{done, total, rows, pace_.rows_per_second(), pace_.remaining_ms()};
  bool wanted = on_place_ == nullptr || on_place_(place);
  if (shown_ != nullptr && !shown_->reached(done, total, rows)) wanted = false;
  const bool is_end = total > 0 && done >= total;
  if (wanted && !is_end && reported_at_ && now - *reported_at_ < report_interval_ms) return true;
  reported_at_ = now;
  return queue_.report(job_, place) && wanted;
}

JobEnd JobWork::run(const ports::Job& job, ports::JobProgress& progress) {
  try {
    return job.what.kind == ports::JobKind::replay ? run_replay(job, progress) : run_rebuild(progress);
  } catch (const ports::StoreUnavailable&) {
    throw;
  } catch (const ports::ChainError& error) {
    if (error.kind() == ports::ChainError::Kind::cancelled) return {JobEnd::How::stopped, {}};
    log_.warn("job_trouble", error.what(), {{"job", job.id}});
    return failed("The Stellar RPC couldn't be read from. The log of whoever ran the job says more.");
  } catch (const std::exception& error) {
    if (is_for_operators(error)) return failed(error.what());
    log_.error("job_trouble", error.what(), {{"job", job.id}});
    return failed("The job ended in an unexpected error. The log of whoever ran it says more.");
  }
}

JobEnd JobWork::run_replay(const ports::Job& job, ports::JobProgress& progress) {
  JobLog log(log_);
  chain::StellarRpc rpc(replay_source_options(config_, breaker_));
  const auto next = store::make_next_log(store_options(config_), job.id, log);
  indexer::IndexerOptions options = indexer_options(config_);
  options.audit_interval = milliseconds{0};  // of the log that is served

  use_chain(&rpc);
  try {
    options.start_ledger =
        indexer::replay_start(job.what.from_ledger, job.what.restart, *next, options.start_ledger, rpc);
    next->begin({options.contracts, *options.start_ledger}, job.what.restart);
    queue_.begun(job.id, job.what);
    const bool done = indexer::replay(options, rpc, *next, clock_, log, progress);
    use_chain(nullptr);
    return {done ? JobEnd::How::done : JobEnd::How::stopped, {}};
  } catch (...) {
    use_chain(nullptr);
    throw;
  }
}

JobEnd JobWork::run_rebuild(ports::JobProgress& progress) {
  const auto store = store::make_rebuild_store(store_options(config_), "service");
  const indexer::RebuildResult result = indexer::rebuild(*store, progress);
  if (!result.finished) return {JobEnd::How::stopped, {}};
  return {JobEnd::How::done,
          std::to_string(result.mended_count) + " of " + std::to_string(result.streams) + " streams were mended."};
}

void JobWork::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (chain_ != nullptr) chain_->cancel();
}

void JobWork::use_chain(chain::StellarRpc* chain) {
  const std::lock_guard lock(mutex_);
  chain_ = chain;
  if (chain_ != nullptr && cancelled_) chain_->cancel();
}

JobRunner::JobRunner(const Config& config, ports::Clock& clock, ports::Log& log, chain::RpcBreaker* breaker)
    : clock_(clock),
      log_(log),
      contracts_(config.follows_a_chain() ? indexer_options(config).contracts : std::string()),
      queue_(store::make_job_queue(store_options(config))),
      work_(config, *queue_, clock, log, breaker) {}

JobRunner::~JobRunner() {
  stop();
}

void JobRunner::start() {
  thread_ = std::thread([this] {
    bool told = false;
    do {
      try {
        look_for_work();
        told = false;
      } catch (const std::exception& error) {
        if (!std::exchange(told, true)) log_.warn("jobs_unavailable", error.what());
      }
    } while (clock_.sleep(look_interval));
  });
}

void JobRunner::begin_stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.cancel();
}

void JobRunner::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
}

bool JobRunner::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

JobStatistics JobRunner::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

template <class Change>
void JobRunner::count(Change change) {
  const std::lock_guard lock(mutex_);
  change(statistics_);
}

void JobRunner::look_for_work() {
  const auto job = queue_->take(contracts_);
  if (!job) return;
  count([&](JobStatistics& now) { now.running = job->what.kind; });
  try {
    perform(*job);
  } catch (...) {
    count([](JobStatistics& now) { now.running.reset(); });
    throw;
  }
  count([](JobStatistics& now) { now.running.reset(); });
}

void JobRunner::perform(const ports::Job& job) {
  const std::string_view kind = ports::name_in(ports::job_kinds, job.what.kind);
  log_.info("job_running", "", {{"job", job.id}, {"kind", kind}});
  JobReport report(job.id, *queue_, clock_, nullptr, [this](const ports::JobPlace& place) {
    count([&](JobStatistics& now) { now.place = place; });
    return !is_stopping();
  });
  const JobEnd end = work_.run(job, report);
  switch (end.how) {
    case JobEnd::How::done:
      queue_->leave(job.id, ports::JobState::done, end.message);
      count([](JobStatistics& now) { ++now.done; });
      log_.info("job_done", end.message, {{"job", job.id}, {"kind", kind}});
      return;
    case JobEnd::How::failed:
      queue_->leave(job.id, ports::JobState::failed, end.message);
      count([](JobStatistics& now) { ++now.failed; });
      log_.error("job_failed", end.message, {{"job", job.id}, {"kind", kind}});
      return;
    case JobEnd::How::stopped: break;
  }
  // Where this process ends, its connection lets go of the job, and another takes it up.
  if (!is_stopping()) queue_->leave(job.id, ports::JobState::paused, {});
  log_.info("job_stopped", "", {{"job", job.id}, {"kind", kind}});
}

}  // namespace fluxora::app
