#include "json_log.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <limits>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fluxora/core/json_writer.hpp"

namespace fluxora::app {
namespace {

/// How long a line may wait for others. Short enough that whoever watches the log doesn't notice.
constexpr std::chrono::milliseconds gathering_time{10};
constexpr std::size_t enough_to_write = 64 * 1024;
constexpr std::size_t max_kept_bytes = 2 * enough_to_write;

std::string_view level_name(ports::LogLevel level) {
  switch (level) {
    case ports::LogLevel::debug: return "debug";
    case ports::LogLevel::warn: return "warn";
    case ports::LogLevel::error: return "error";
    case ports::LogLevel::info: break;
  }
  return "info";
}

struct FieldWriter {
  core::JsonWriter& json;
  bool is_json;

  void operator()(std::string_view text) const { is_json ? json.raw(text) : json.string(text); }
  void operator()(std::int64_t number) const { json.integer(number); }
  void operator()(std::uint64_t number) const { json.unsigned_integer(number); }
  void operator()(bool value) const { json.boolean(value); }
};

/// How much may be written at once so that it never blocks where poll() says that there is room: anything to a file,
/// PIPE_BUF to a pipe (POSIX). Making the descriptor non-blocking would change it for every process that shares it.
std::size_t max_write_bytes(int descriptor) {
  struct stat about{};
  if (::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode)) return std::numeric_limits<std::size_t>::max();
  return PIPE_BUF;
}

}  // namespace

JsonLog::JsonLog(ports::LogLevel least, const ports::Clock& clock, int descriptor)
    : least_(least),
      clock_(clock),
      descriptor_(descriptor),
      max_write_bytes_(max_write_bytes(descriptor)),
      writer_([this] { run(); }) {}

JsonLog::~JsonLog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    end_by_ = std::chrono::steady_clock::now() + longest_end;
  }
  wake_.notify_one();
  writer_.join();
}

void JsonLog::append_line(std::string& out, ports::LogLevel level, std::string_view event, std::string_view message,
                          std::initializer_list<ports::LogField> fields) const {
  core::JsonWriter json(out);
  json.begin_object();
  json.key("time").string(core::format_rfc3339_millis(clock_.now()));
  json.key("level").string(level_name(level));
  json.key("event").string(event);
  if (!message.empty()) json.key("message").string(message);
  for (const ports::LogField& field : fields) {
    if (field.is_absent) continue;
    json.key(field.name);
    std::visit(FieldWriter{json, field.is_json}, field.value);
  }
  json.end_object();
  out += '\n';
}

void JsonLog::write(ports::LogLevel level, std::string_view event, std::string_view message,
                    std::initializer_list<ports::LogField> fields) {
  if (level < least_) return;
  thread_local std::string line;
  line.clear();
  append_line(line, level, event, message, fields);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (dropped_ > 0 || waiting_.size() + line.size() > max_waiting_bytes) {
      ++dropped_;  // also what would fit behind what didn't: the count stands where the lines are missing
      return;
    }
    const bool was_waiting = !waiting_.empty();
    const bool was_enough = waiting_.size() >= enough_to_write;
    waiting_ += line;
    if (level >= ports::LogLevel::warn) at_once_ = true;
    wake = !was_waiting || (!was_enough && waiting_.size() >= enough_to_write) || level >= ports::LogLevel::warn;
  }
  if (wake) wake_.notify_one();
}

void JsonLog::run() {
  std::string writing;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    wake_.wait_for(lock, gathering_time, [this] { return ending_ || at_once_ || waiting_.size() >= enough_to_write; });
    if (waiting_.empty()) return;  // ending
    writing.clear();
    writing.swap(waiting_);
    at_once_ = false;
    const std::uint64_t dropped = std::exchange(dropped_, 0);
    lock.unlock();
    report_lost();
    const std::string_view rest = write_lines(writing);
    lost_ += static_cast<std::uint64_t>(std::count(rest.begin(), rest.end(), '\n')) + dropped;
    report_lost();
    if (writing.capacity() > max_kept_bytes) writing = std::string();
    lock.lock();
  }
}

/// A line about what is lost, at the place where it is missing; tried again with the next lines where it fails.
void JsonLog::report_lost() {
  if (lost_ == 0) return;
  std::string line;
  append_line(line, ports::LogLevel::warn, "log_lines_dropped", "", {{"count", lost_}});
  if (write_lines(line).empty()) lost_ = 0;
}

/// Gives what couldn't be written: the rest from within the first such line on.
std::string_view JsonLog::write_lines(std::string_view text) {
  if (within_line_) {
    if (!write_bytes("\n").empty()) return text;
    within_line_ = false;
  }
  const std::string_view rest = write_bytes(text);
  const std::size_t written = text.size() - rest.size();
  within_line_ = written > 0 && text[written - 1] != '\n';
  return rest;
}

/// Gives what couldn't be written. A failure ends these lines, never the service.
std::string_view JsonLog::write_bytes(std::string_view text) {
  while (!text.empty() && wait_for_room()) {
    const ssize_t written = ::write(descriptor_, text.data(), std::min(text.size(), max_write_bytes_));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return text;
}

/// Waits until the descriptor takes more or is broken, which the write will tell. False: it is time to end.
bool JsonLog::wait_for_room() {
  constexpr int look_ms = 50;  // how soon an end is noticed
  while (true) {
    pollfd room{descriptor_, POLLOUT, 0};
    const int ready = ::poll(&room, 1, look_ms);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    const std::lock_guard lock(mutex_);
    if (ending_ && std::chrono::steady_clock::now() >= end_by_) return false;
  }
}

}  // namespace fluxora::app
