#pragma once

#include <mutex>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::app {

/// One JSON object a line, on stdout unless told. SPEC section 10.
class JsonLog final : public ports::Log {
 public:
  JsonLog(ports::LogLevel least, const ports::Clock& clock, int descriptor = 1)
      : least_(least), clock_(clock), descriptor_(descriptor) {}

  void write(ports::LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<ports::LogField> fields) override;

 private:
  const ports::LogLevel least_;
  const ports::Clock& clock_;
  const int descriptor_;
  std::mutex mutex_;
};

}  // namespace fluxora::app
