#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "config.hpp"
#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/job_progress.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/replay_jobs.hpp"
#include "progress.hpp"

namespace fluxora::app {

/// How one run of a job over the whole log ended.
struct JobEnd {
  enum class How : std::uint8_t { done, stopped, failed };
  How how = How::done;
  std::string message;  ///< of a failure: one sentence for an operator
};

/// Keeps a job's progress in its row, twice a second at most and at its end, and shows it where it is wanted. Stops the
/// job when that wants it, or when the row says so: somebody paused or cancelled it.
class JobReport final : public ports::JobProgress {
 public:
  /// `shown`, where there is one, shows the job and may stop it; `on_place` hears of every step, and may too.
  JobReport(std::uint64_t job, ports::JobQueue& queue, const ports::Clock& clock, ports::JobProgress* shown,
            std::function<bool(const ports::JobPlace&)> on_place = nullptr);

  /// Throws StoreUnavailable.
  bool reached(std::uint64_t done, std::uint64_t total, std::uint64_t rows) override;

 private:
  const std::uint64_t job_;
  ports::JobQueue& queue_;
  const ports::Clock& clock_;
  ports::JobProgress* const shown_;
  const std::function<bool(const ports::JobPlace&)> on_place_;
  JobPace pace_;
  std::optional<core::UnixMillis> reported_at_;
};

/// Runs jobs, one after another, on the caller's thread; cancel() is for others.
class JobWork {
 public:
  /// All of them outlive it. `breaker`: the process's for the RPC, where others call it too.
  JobWork(const Config& config, ports::JobQueue& queue, ports::Clock& clock, ports::Log& log,
          chain::RpcBreaker* breaker = nullptr)
      : config_(config), queue_(queue), clock_(clock), log_(log), breaker_(breaker) {}

  /// A job that was taken. Throws StoreUnavailable: the job is left as it is, to be taken up again.
  JobEnd run(const ports::Job& job, ports::JobProgress& progress);
  /// Ends the call to the chain under way, and those of later jobs. From any thread.
  void cancel();

 private:
  JobEnd run_replay(const ports::Job& job, ports::JobProgress& progress);
  JobEnd run_rebuild(ports::JobProgress& progress);
  void use_chain(chain::StellarRpc* chain);

  const Config& config_;
  ports::JobQueue& queue_;
  ports::Clock& clock_;
  ports::Log& log_;
  chain::RpcBreaker* const breaker_;
  std::mutex mutex_;
  bool cancelled_ = false;
  chain::StellarRpc* chain_ = nullptr;  ///< of the job under way
};

/// What this process's jobs are at, for metrics.
struct JobStatistics {
  std::optional<ports::JobKind> running;
  ports::JobPlace place;   ///< of the one that runs, or ran last
  std::uint64_t done = 0;  ///< jobs that this process has brought to their end
  std::uint64_t failed = 0;
};

/// Takes up jobs that wait, or whose process died, on a thread of its own: whichever instance is first runs one, and
/// only one runs on a database. Of replays it takes those that follow what this instance does.
class JobRunner {
 public:
  /// All of them outlive it; `breaker`: as JobWork's.
  JobRunner(const Config& config, ports::Clock& clock, ports::Log& log, chain::RpcBreaker* breaker);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  void start();
  /// A job is to be left where it is, for the next to go on with. Returns at once.
  void begin_stop();
  /// Waits until it is left. The clock must be ending.
  void stop();
  [[nodiscard]] JobStatistics statistics() const;

 private:
  [[nodiscard]] bool is_stopping() const;
  void look_for_work();
  void perform(const ports::Job& job);
  template <class Change>
  void count(Change change);

  ports::Clock& clock_;
  ports::Log& log_;
  const std::string contracts_;
  std::unique_ptr<ports::JobQueue> queue_;
  JobWork work_;
  std::thread thread_;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  JobStatistics statistics_;
};

}  // namespace fluxora::app
