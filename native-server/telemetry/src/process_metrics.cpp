#include "fluxora/telemetry/process_metrics.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace fluxora::telemetry {
namespace {

using std::chrono::milliseconds;

// Places in /proc/self/stat behind the name, which is in parentheses and may hold anything: proc(5) counts from 1 and
// the state is its third.
constexpr std::size_t user_ticks = 14 - 3;
constexpr std::size_t system_ticks = 15 - 3;
constexpr std::size_t start_ticks = 22 - 3;
constexpr std::size_t virtual_bytes = 23 - 3;
constexpr std::size_t resident_pages = 24 - 3;
constexpr std::size_t fields = resident_pages + 1;

struct Stat {
  std::array<std::uint64_t, fields> field{};
  bool read = false;
};

Stat read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  Stat stat;
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return stat;
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  rest >> state;
  for (std::size_t i = 1; i < fields; ++i) {
    std::int64_t number = 0;  // some that aren't used here are negative
    rest >> number;
    stat.field[i] = static_cast<std::uint64_t>(number);
  }
  stat.read = !rest.fail();
  return stat;
}

/// When the machine was started, in Unix seconds.
std::uint64_t boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    std::uint64_t seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

milliseconds from_ticks(std::uint64_t ticks) {
  static const auto a_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return milliseconds(ticks * 1'000 / a_second);
}

std::uint64_t open_descriptors() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // one is the folder's own
}

struct Reading {
  Stat stat;
  std::uint64_t open_descriptors = 0;
};

/// Not older than a second: with many connections open their folder is long, and whoever asks for metrics is answered
/// on a thread that serves others too.
Reading recent_reading() {
  using Clock = std::chrono::steady_clock;
  static std::mutex mutex;
  static std::optional<Reading> kept;
  static Clock::time_point read_at;
  const std::lock_guard lock(mutex);
  if (!kept || Clock::now() - read_at >= std::chrono::seconds(1)) {
    kept = Reading{read_stat(), open_descriptors()};
    read_at = Clock::now();
  }
  return *kept;
}

}  // namespace

void write_process_metrics(MetricsPage& page) {
  static const std::uint64_t boot_seconds = boot_time();
  static const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const Reading now = recent_reading();
  if (const Stat& stat = now.stat; stat.read) {
    page.counter("process_cpu_seconds_total", "Processor time used, user and system.",
                 from_ticks(stat.field[user_ticks] + stat.field[system_ticks]));
    page.gauge("process_resident_memory_bytes", "Memory held.", stat.field[resident_pages] * page_bytes);
    page.gauge("process_virtual_memory_bytes", "Address space held.", stat.field[virtual_bytes]);
    page.gauge("process_start_time_seconds", "When the process was started, in Unix seconds.",
               milliseconds(boot_seconds * 1'000) + from_ticks(stat.field[start_ticks]));
  }
  page.gauge("process_open_fds", "Open file descriptors.", now.open_descriptors);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    page.gauge("process_max_fds", "File descriptors that it may have open.", std::uint64_t{limit.rlim_cur});
  }
}

}  // namespace fluxora::telemetry
