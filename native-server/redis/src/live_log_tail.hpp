#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/event_log.hpp"
#include "log_bus.hpp"

namespace fluxora::redis {

/// The log's end by way of the bus. One instance reads the database, as each would alone, and publishes what it read;
/// the others read the database only where the bus can't say what follows a seq: at the start, after a hole, when the
/// publisher has fallen silent, and once in a while to be sure. Meanwhile they don't LISTEN, either.
class LiveLogTail final : public ports::LogTail {
 public:
  using MakeTail = std::function<std::unique_ptr<ports::LogTail>()>;

  /// However well the bus works, the database is read this often.
  static constexpr std::chrono::milliseconds longest_unread{2'000};
  /// How often the publisher says that it is there, and others look whether it is.
  static constexpr std::chrono::milliseconds pulse{250};

  struct Counts {
    std::atomic<std::uint64_t> from_bus{0};
    std::atomic<std::uint64_t> from_database{0};
  };

  /// All outlive it.
  LiveLogTail(MakeTail make_tail, LogBus& bus, const ports::Clock& clock, Counts& counts);

  ports::LogHead head() override;
  ports::EventPage read_after(std::uint64_t seq, std::size_t limit) override;
  void wait(std::chrono::milliseconds timeout) override;

 private:
  [[nodiscard]] bool follows_the_bus() const;
  std::optional<ports::EventPage> read_bus(std::uint64_t seq, std::size_t limit);
  ports::EventPage read_database(std::uint64_t seq, std::size_t limit);
  void know(const ports::LogHead& head);
  void publish(const ports::EventPage& page);

  const MakeTail make_tail_;
  LogBus& bus_;
  const ports::Clock& clock_;
  Counts& counts_;
  std::unique_ptr<ports::LogTail> tail_;
  bool listens_ = false;
  ports::LogHead known_;
  core::UnixMillis read_at_ = 0;       // when the database was read
  core::UnixMillis published_at_ = 0;  // when anything was published
};

}  // namespace fluxora::redis
