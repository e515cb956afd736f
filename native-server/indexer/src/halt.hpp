#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "fluxora/ports/indexer_alarms.hpp"

namespace fluxora::indexer {

/// What an operator has to decide; nothing is written until it is gone. With an alarm it is gone when that was
/// acknowledged, otherwise when its cause is. The sentence says what can be done.
class Halt : public std::runtime_error {
 public:
  explicit Halt(const std::string& why) : std::runtime_error(why) {}
  Halt(std::optional<ports::AlarmKind> alarm, const std::string& why) : std::runtime_error(why), alarm_(alarm) {}

  [[nodiscard]] std::optional<ports::AlarmKind> alarm() const noexcept { return alarm_; }

 private:
  std::optional<ports::AlarmKind> alarm_;
};

}  // namespace fluxora::indexer
