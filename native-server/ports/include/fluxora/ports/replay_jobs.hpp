#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// Jobs over the whole log: reading the chain again into a new epoch, folding the log again. SPEC section 9.
enum class JobKind : std::uint8_t { replay, rebuild };
inline constexpr std::array<std::pair<JobKind, std::string_view>, 2> job_kinds = {
    {{JobKind::replay, "replay"}, {JobKind::rebuild, "rebuild"}}};

enum class JobState : std::uint8_t {
  queued,   ///< waits for an instance that takes it
  running,  ///< or was, when its process died: another takes it up
  paused,
  done,
  failed,  ///< can be resumed
  cancelled,
};
inline constexpr std::array<std::pair<JobState, std::string_view>, 6> job_states = {
    {{JobState::queued, "queued"},
     {JobState::running, "running"},
     {JobState::paused, "paused"},
     {JobState::done, "done"},
     {JobState::failed, "failed"},
     {JobState::cancelled, "cancelled"}}};

template <class Enum, std::size_t count>
[[nodiscard]] constexpr std::string_view name_in(const std::array<std::pair<Enum, std::string_view>, count>& names,
                                                 Enum value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return {};
}
template <class Enum, std::size_t count>
[[nodiscard]] constexpr std::optional<Enum> value_in(const std::array<std::pair<Enum, std::string_view>, count>& names,
                                                     std::string_view name) {
  for (const auto& [value, known] : names) {
    if (known == name) return value;
  }
  return std::nullopt;
}

/// What somebody wants done.
struct NewJob {
  JobKind kind = JobKind::replay;
  std::string contracts;                     ///< of a replay: as Following has them
  std::optional<std::uint32_t> from_ledger;  ///< of a replay; none: where the log begins
  bool restart = false;                      ///< of a replay: what an earlier one has read is dropped
};

/// How far a job has come, as JobProgress counts.
struct JobPlace {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known yet
  std::uint64_t rows = 0;
  std::uint64_t rows_per_second = 0;
  std::optional<core::UnixMillis> remaining_ms;  ///< none: not known
};

struct Job {
  std::uint64_t id = 0;
  NewJob what;
  JobState state = JobState::queued;
  JobPlace place;
  core::UnixMillis created_at = 0;
  std::optional<core::UnixMillis> started_at;  ///< first taken
  core::UnixMillis updated_at = 0;
  std::optional<core::UnixMillis> finished_at;
  std::string message;  ///< one sentence for an operator; may be empty
};

/// The jobs as administrators see and steer them. What changes one and the audit log's record of it are one
/// transaction; `by` names who and from where, action and target are filled in.
class ReplayJobs {
 public:
  virtual ~ReplayJobs() = default;

  /// Newest first.
  virtual void list(std::size_t limit, Reply<std::vector<Job>> reply) = 0;
  /// None: another one is queued, running or paused.
  virtual void start(NewJob job, AuditRecord by, Reply<std::optional<Job>> reply) = 0;

  enum class Action : std::uint8_t { pause, resume, cancel };
  struct Change {
    std::optional<Job> job;  ///< as it is now; none: there is no such job
    bool done = false;       ///< false: in its state that can't be done
  };
  /// Pauses what is queued or running, resumes what is paused or has failed (while no other job is), cancels what isn't
  /// at its end. Whoever runs the job sees it at its next safe point.
  virtual void change(std::uint64_t id, Action action, AuditRecord by, Reply<Change> reply) = 0;
};

/// The side of who runs jobs: one at a time on a database. Blocking; for one thread. Every call throws
/// StoreUnavailable.
class JobQueue {
 public:
  virtual ~JobQueue() = default;

  /// The oldest job that waits or whose runner is gone, as running; none: there is none, or somebody else runs one. Of
  /// replays only those of `contracts` are taken; none are where it is empty.
  virtual std::optional<Job> take(const std::string& contracts) = 0;
  /// For the command line: `wanted` becomes a running job of this process. One like it that was left goes on instead,
  /// as `wanted`; until begun() it is kept as it was, so that terms that are refused don't spoil it.
  /// None: somebody else runs a job, or one of another kind waits or is paused.
  virtual std::optional<Job> take_or_start(const NewJob& wanted) = 0;

  /// Keeps how far the job is. False: it is to stop, somebody has paused or cancelled it, or this process has lost it.
  virtual bool report(std::uint64_t id, const JobPlace& place) = 0;
  /// The job was begun as `what`, on which it goes on from now on: what an earlier one left isn't dropped again. Throws
  /// StoreUnavailable, too, where this process has lost it.
  virtual void begun(std::uint64_t id, const NewJob& what) = 0;
  /// How it ended or was left. A job that was paused, cancelled or done meanwhile stays so, one that was resumed isn't
  /// paused again, and one that this process has lost stays as it is.
  virtual void leave(std::uint64_t id, JobState state, const std::string& message) = 0;
  /// As it is now; none: there is no such job.
  virtual std::optional<Job> find(std::uint64_t id) = 0;
};

}  // namespace fluxora::ports
