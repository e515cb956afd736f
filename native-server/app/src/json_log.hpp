#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::app {

/// One JSON object a line, on stdout unless told. SPEC section 10.
///
/// Lines go out in the order in which they came, by a thread of the log's own, so that no caller ever waits for whoever
/// reads them. Lines below `warn` are gathered for a moment, because a system call each would be a good part of what a
/// small request costs; a killed process may take those of its last milliseconds along. Where nobody reads,
/// max_waiting_bytes are kept; what comes then is dropped, and a line "log_lines_dropped" says how many those were.
class JsonLog final : public ports::Log {
 public:
  static constexpr std::size_t max_waiting_bytes = 1024 * 1024;

  JsonLog(ports::LogLevel least, const ports::Clock& clock, int descriptor = 1);
  /// Writes what waits.
  ~JsonLog() override;
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;

  void write(ports::LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<ports::LogField> fields) override;

 private:
  void append_line(std::string& out, ports::LogLevel level, std::string_view event, std::string_view message,
                   std::initializer_list<ports::LogField> fields) const;
  void run();

  const ports::LogLevel least_;
  const ports::Clock& clock_;
  const int descriptor_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;        ///< under mutex_, as all below
  std::uint64_t dropped_ = 0;  ///< behind what waits
  bool at_once_ = false;       ///< something that waits is not to be gathered for
  bool ending_ = false;
  std::thread writer_;
};

}  // namespace fluxora::app
