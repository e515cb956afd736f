#include "progress.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

#include <unistd.h>

#include "fluxora/core/json_writer.hpp"

namespace fluxora::app {
namespace {

constexpr core::UnixMillis line_interval_ms = 1'000;
constexpr core::UnixMillis bar_interval_ms = 100;
constexpr unsigned bar_width = 24;

/// 1234567 as 1,234,567.
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

/// 3,723,000 ms as 1:02:03.
std::string duration_text(core::UnixMillis duration_ms) {
  const auto two_digits = [](core::UnixMillis number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  const core::UnixMillis seconds = (duration_ms + 999) / 1'000;
  const core::UnixMillis minutes = seconds / 60;
  const std::string end = ":" + two_digits(seconds % 60);
  if (minutes < 60) return std::to_string(minutes) + end;
  return std::to_string(minutes / 60) + ":" + two_digits(minutes % 60) + end;
}

}  // namespace

void JobPace::at(const Place& place, core::UnixMillis now) {
  if (!started_at_) {
    started_at_ = now;
    first_ = place;
  }
  now_ = std::max(now_, now);
  last_ = place;
}

std::uint64_t JobPace::rows_per_second() const {
  const core::UnixMillis elapsed = started_at_ ? now_ - *started_at_ : 0;
  if (elapsed <= 0 || last_.rows <= first_.rows) return 0;
  return (last_.rows - first_.rows) * 1'000 / static_cast<std::uint64_t>(elapsed);
}

std::optional<core::UnixMillis> JobPace::remaining_ms() const {
  if (last_.total == 0 || last_.done <= first_.done || now_ <= *started_at_) return std::nullopt;
  if (last_.done >= last_.total) return 0;
  const auto elapsed = static_cast<std::uint64_t>(now_ - *started_at_);
  return static_cast<core::UnixMillis>((last_.total - last_.done) * elapsed / (last_.done - first_.done));
}

unsigned JobPace::percent() const {
  if (last_.total == 0) return 0;
  return static_cast<unsigned>(std::min(last_.done, last_.total) * 100 / last_.total);
}

std::string progress_bar(std::string_view job, const JobPace& pace) {
  const unsigned percent = pace.percent();
  const unsigned filled = bar_width * percent / 100;
  const std::string number = std::to_string(percent);
  std::string text = std::string(job) + " [" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] " +
                     std::string(3 - number.size(), ' ') + number + " %  " + grouped(pace.place().rows) + " rows  " +
                     grouped(pace.rows_per_second()) + " rows/s";
  if (const auto remaining = pace.remaining_ms()) text += "  " + duration_text(*remaining) + " left";
  return text;
}

std::string progress_json(std::string_view job, const JobPace& pace) {
  std::string text;
  core::JsonWriter json(text);
  json.begin_object();
  json.key("job").string(job);
  json.key("done").unsigned_integer(pace.place().done);
  json.key("total").unsigned_integer(pace.place().total);
  json.key("rows").unsigned_integer(pace.place().rows);
  json.key("rowsPerSecond").unsigned_integer(pace.rows_per_second());
  json.key("remainingMs");
  if (const auto remaining = pace.remaining_ms()) {
    json.integer(*remaining);
  } else {
    json.null();
  }
  json.end_object();
  return text;
}

Progress::Progress(std::string job, const ports::Clock& clock, std::function<bool()> ended)
    : job_(std::move(job)), clock_(clock), ended_(std::move(ended)), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (terminal_ && shown_at_) std::cerr << std::endl;
}

bool Progress::reached(std::uint64_t done, std::uint64_t total, std::uint64_t rows) {
  const core::UnixMillis now = clock_.now();
  pace_.at({done, total, rows}, now);
  const core::UnixMillis interval = terminal_ ? bar_interval_ms : line_interval_ms;
  if (!shown_at_ || now - *shown_at_ >= interval) {
    show();
    shown_at_ = now;
  }
  return !ended_();
}

void Progress::finish() {
  show();
  shown_at_ = clock_.now();
}

void Progress::show() {
  if (terminal_) {
    // Back to the line's start, and what a longer text left behind it is wiped out.
    std::cerr << '\r' << progress_bar(job_, pace_) << "\x1b[K" << std::flush;
  } else {
    std::cerr << progress_json(job_, pace_) << std::endl;
  }
}

}  // namespace fluxora::app
