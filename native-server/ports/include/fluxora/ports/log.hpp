#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fluxora::ports {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// One member of a log line. Secrets, tokens, bodies and signatures are never logged.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, std::uint64_t, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, std::int64_t v) : name(n), value(v) {}
  LogField(std::string_view n, int v) : name(n), value(static_cast<std::int64_t>(v)) {}
  LogField(std::string_view n, std::uint64_t v) : name(n), value(v) {}
  LogField(std::string_view n, unsigned v) : name(n), value(static_cast<std::uint64_t>(v)) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  /// None: the line has no such member.
  LogField(std::string_view n, std::optional<std::string_view> v)
      : name(n), value(v.value_or(std::string_view())), is_absent(!v) {}
  /// A JSON object or array that is text already.
  struct Json {
    std::string_view text;
  };
  LogField(std::string_view n, Json v);

  bool is_json = false;
  bool is_absent = false;
};

inline LogField::LogField(std::string_view n, Json v) : name(n), value(v.text), is_json(true) {}

/// Structured log: one JSON object a line. SPEC section 10. From any thread.
class Log {
 public:
  virtual ~Log() = default;
  /// `event` is a stable snake_case name; `message` is for people and may be empty.
  virtual void write(LogLevel level, std::string_view event, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;

  void info(std::string_view event, std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, event, message, fields);
  }
  void warn(std::string_view event, std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warn, event, message, fields);
  }
  void error(std::string_view event, std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, event, message, fields);
  }
};

}  // namespace fluxora::ports
