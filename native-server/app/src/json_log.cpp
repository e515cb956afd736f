#include "json_log.hpp"

#include <cerrno>
#include <string>

#include <unistd.h>

#include "fluxora/core/json_writer.hpp"

namespace fluxora::app {
namespace {

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

void JsonLog::write(ports::LogLevel level, std::string_view event, std::string_view message,
                    std::initializer_list<ports::LogField> fields) {
  if (level < least_) return;
  std::string line;
  line.reserve(256);
  core::JsonWriter json(line);
  json.begin_object();
  json.key("time").string(core::format_rfc3339_millis(clock_.now()));
  json.key("level").string(level_name(level));
  json.key("event").string(event);
  if (!message.empty()) json.key("message").string(message);
  for (const ports::LogField& field : fields) {
    json.key(field.name);
    std::visit(FieldWriter{json, field.is_json}, field.value);
  }
  json.end_object();
  line += '\n';
  const std::lock_guard lock(mutex_);
  write_all(descriptor_, line);
}

}  // namespace fluxora::app
