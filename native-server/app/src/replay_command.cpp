#include "replay_command.hpp"

#include <algorithm>
#include <string_view>

#include <unistd.h>

#include "command_result.hpp"
#include "fluxora/store/store.hpp"
#include "jobs.hpp"
#include "json_log.hpp"
#include "options.hpp"
#include "process.hpp"
#include "progress.hpp"
#include "system_clock.hpp"

namespace fluxora::app {
namespace {

/// The result; gives the code.
int finish(int code, std::string_view message, const ports::Job& job) {
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("success").boolean(code == exit_done);
    json.key("message").string(message);
    json.key("job").unsigned_integer(job.id);
    json.key("ledgers").unsigned_integer(job.place.done);
    json.key("entries").unsigned_integer(job.place.rows);
    json.end_object();
  });
  return code;
}

int run(const Config& config, const ReplayArguments& arguments, EndSignals& signals, SystemClock& clock, JsonLog& log) {
  store::migrate(store_options(config), log);
  const auto queue = store::make_job_queue(store_options(config));
  const auto job = queue->take_or_start(
      {ports::JobKind::replay, indexer_options(config).contracts, arguments.from_ledger, arguments.restart});
  if (!job) return print_failure(exit_failed, "Another job runs or waits: see GET /admin/replay.");

  Progress shown("replay", clock, [&signals] { return signals.came(); });
  JobReport report(job->id, *queue, clock, &shown);
  JobWork work(config, *queue, clock, log);
  const JobEnd end = work.run(*job, report);
  if (end.how == JobEnd::How::failed) queue->leave(job->id, ports::JobState::failed, end.message);
  if (end.how == JobEnd::How::stopped) queue->leave(job->id, ports::JobState::paused, "Stopped from the command line.");
  if (end.how == JobEnd::How::done) queue->leave(job->id, ports::JobState::done, {});
  shown.finish();

  const auto now = queue->find(job->id);
  if (end.how == JobEnd::How::failed) return finish(exit_failed, end.message, *now);
  if (now->state == ports::JobState::cancelled) return finish(exit_failed, "The replay was cancelled.", *now);
  if (end.how == JobEnd::How::stopped) {
    return finish(exit_paused, "Paused. Run it again, or resume the job over /admin/replay, and it goes on from here.",
                  *now);
  }
  return finish(exit_done, "The log was read again and is served under a new epoch.", *now);
}

}  // namespace

int replay(const Config& config, const ReplayArguments& arguments) {
  if (!config.follows_a_chain()) {
    return print_failure(exit_bad_arguments, "STELLAR_RPC_URL isn't set: there is no chain to read.");
  }
  EndSignals signals;
  SystemClock clock;
  // What goes well is shown by the progress.
  JsonLog log(std::max(config.log_level, ports::LogLevel::warn), clock, STDERR_FILENO);
  try {
    return run(config, arguments, signals, clock, log);
  } catch (const ports::StoreUnavailable& error) {
    log.error("database_unavailable", error.what());
    return print_failure(exit_failed, database_away);
  } catch (const std::exception& error) {
    log.error("replay_failed", error.what());
    return print_failure(exit_failed, database_refused);
  }
}

}  // namespace fluxora::app
