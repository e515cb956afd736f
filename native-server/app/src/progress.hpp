#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/job_progress.hpp"

namespace fluxora::app {

/// How far a job is and how quickly it gets on, from where it started.
class JobPace {
 public:
  struct Place {
    std::uint64_t done = 0;
    std::uint64_t total = 0;  ///< 0: not known
    std::uint64_t rows = 0;
  };

  /// The job is at `place` at `now`; the first call is where it started.
  void at(const Place& place, core::UnixMillis now);

  [[nodiscard]] const Place& place() const { return last_; }
  /// Rows a second since the start; 0 while no time has passed.
  [[nodiscard]] std::uint64_t rows_per_second() const;
  /// What is left, at the pace so far; none before anything is done, and without a total.
  [[nodiscard]] std::optional<core::UnixMillis> remaining_ms() const;
  [[nodiscard]] unsigned percent() const;

 private:
  std::optional<core::UnixMillis> started_at_;
  core::UnixMillis now_ = 0;
  Place first_;
  Place last_;
};

/// `rebuild [#########...............]  37 %  370,000 rows  65,012 rows/s  0:09 left`, for a terminal.
[[nodiscard]] std::string progress_bar(std::string_view job, const JobPace& pace);
/// {"job":"rebuild","done":…,"total":…,"rows":…,"rowsPerSecond":…,"remainingMs":…|null}, for whatever reads lines.
[[nodiscard]] std::string progress_json(std::string_view job, const JobPace& pace);

/// Shows on stderr how far a command's job is: a bar where that is a terminal, else a JSON line at most once a second.
/// For one thread.
class Progress final : public ports::JobProgress {
 public:
  /// `ended` is asked at every safe point: true stops the job there.
  Progress(std::string job, const ports::Clock& clock, std::function<bool()> ended);
  /// Ends the bar's line.
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool reached(std::uint64_t done, std::uint64_t total, std::uint64_t rows) override;
  /// Shows where the job ended, however lately a line was shown.
  void finish();

 private:
  void show();

  const std::string job_;
  const ports::Clock& clock_;
  const std::function<bool()> ended_;
  const bool terminal_;
  JobPace pace_;
  std::optional<core::UnixMillis> shown_at_;
};

}  // namespace fluxora::app
