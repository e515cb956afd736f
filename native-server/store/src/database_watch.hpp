#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "connection.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/store/store.hpp"

namespace fluxora::store {

/// Looks at a database all the time, on a thread and a connection of its own, so that nobody has to ask it to learn
/// how it is.
class DatabaseWatch {
 public:
  /// What a look has seen.
  struct Sight {
    std::string epoch;
    bool standby = false;
    std::uint64_t head_seq = 0;
  };
  using NoteSight = std::function<void(const Sight&)>;

  /// `url` instead of the options'. `name`: "database" or "replica", in log lines and the connection's name.
  /// `note`, if any, is told what each look has seen, on the watch's thread, before others learn it.
  DatabaseWatch(StoreOptions options, std::string url, std::string_view name, ports::Log& log, NoteSight note = {});
  ~DatabaseWatch();
  void stop();
  DatabaseWatch(const DatabaseWatch&) = delete;
  DatabaseWatch& operator=(const DatabaseWatch&) = delete;

  /// False from a look, or a read (report_trouble), that failed until the next look that doesn't, and where a look
  /// hangs.
  [[nodiscard]] bool is_well() const;
  /// As the last look that went well saw it; with no epoch before the first.
  [[nodiscard]] Sight last_sight() const;
  /// Somebody's read has found the database out of reach: not well until a look, after `pause`, says otherwise.
  void report_trouble(std::chrono::milliseconds pause = {});

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  void look();
  void note_success(Sight sight);
  void note_failure(std::string_view why);

  OwnConnection connection_;
  const std::string name_;
  ports::Log& log_;
  const NoteSight note_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool failed_ = false;  ///< what was last seen or reported
  bool told_ = false;    ///< the log has it
  Clock::time_point seen_well_ = Clock::now();
  Clock::time_point not_before_{};
  Sight sight_;
  std::thread thread_;
};

}  // namespace fluxora::store
