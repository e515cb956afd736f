#include "json_log.hpp"

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

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

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads the log any more: that must not end the service
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

JsonLog::JsonLog(ports::LogLevel least, const ports::Clock& clock, int descriptor)
    : least_(least), clock_(clock), descriptor_(descriptor), writer_([this] { run(); }) {}

JsonLog::~JsonLog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
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
    if (const std::uint64_t dropped = std::exchange(dropped_, 0); dropped > 0) {
      append_line(writing, ports::LogLevel::warn, "log_lines_dropped", "", {{"count", dropped}});
    }
    lock.unlock();
    write_all(descriptor_, writing);
    if (writing.capacity() > max_kept_bytes) writing = std::string();
    lock.lock();
  }
}

}  // namespace fluxora::app
