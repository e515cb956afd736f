#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "fluxora/ports/log.hpp"

namespace fluxora::fakes {

/// Keeps what is logged. From any thread.
class FakeLog final : public ports::Log {
 public:
  struct Line {
    ports::LogLevel level;
    std::string event;
    std::string message;
    std::map<std::string, std::string> fields;  ///< numbers and booleans as text
  };

  void write(ports::LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<ports::LogField> fields) override {
    Line line{level, std::string(event), std::string(message), {}};
    for (const ports::LogField& field : fields) {
      if (!field.is_absent) line.fields[std::string(field.name)] = std::visit(Text{}, field.value);
    }
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }

  [[nodiscard]] std::vector<Line> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  /// The lines of one event, in order.
  [[nodiscard]] std::vector<Line> lines(std::string_view event) const {
    std::vector<Line> found = lines();
    std::erase_if(found, [&](const Line& line) { return line.event != event; });
    return found;
  }

 private:
  struct Text {
    std::string operator()(std::string_view text) const { return std::string(text); }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  };

  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace fluxora::fakes
