#pragma once

#include <chrono>
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
/// max_waiting_bytes are kept; what comes then is dropped, and so is what a failed write leaves. A line
/// "log_lines_dropped" says how many those were, as soon as one can be written.
class JsonLog final : public ports::Log {
 public:
  static constexpr std::size_t max_waiting_bytes = 1024 * 1024;
  /// For so long the end waits for whoever reads; what isn't written then is lost.
  static constexpr std::chrono::milliseconds longest_end{1'500};

  JsonLog(ports::LogLevel least, const ports::Clock& clock, int descriptor = 1);
  /// Writes what waits, within longest_end.
  ~JsonLog() override;
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;

  void write(ports::LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<ports::LogField> fields) override;

 private:
  void append_line(std::string& out, ports::LogLevel level, std::string_view event, std::string_view message,
                   std::initializer_list<ports::LogField> fields) const;
  void run();
  void report_lost();
  [[nodiscard]] std::string_view write_lines(std::string_view text);
  [[nodiscard]] std::string_view write_bytes(std::string_view text);
  [[nodiscard]] bool wait_for_room();

  const ports::LogLevel least_;
  const ports::Clock& clock_;
  const int descriptor_;
  const std::size_t max_write_bytes_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;        ///< under mutex_, as all below
  std::uint64_t dropped_ = 0;  ///< behind what waits
  bool at_once_ = false;       ///< something that waits is not to be gathered for
  bool ending_ = false;
  std::chrono::steady_clock::time_point end_by_;  ///< once ending

  std::uint64_t lost_ = 0;    ///< the writer's own, as below: lines that no notice has told of
  bool within_line_ = false;  ///< a write was cut there

  std::thread writer_;
};

}  // namespace fluxora::app
