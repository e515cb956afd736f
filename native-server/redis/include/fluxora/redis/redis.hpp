#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/connection_counts.hpp"
#include "fluxora/ports/event_log.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/rate_counts.hpp"

namespace fluxora::redis {

/// Where Redis is, and as whom it is asked. Never logged as a whole.
struct RedisAddress {
  std::string host;
  std::uint16_t port = 6379;
  std::string user;      ///< empty: Redis' default user
  std::string password;  ///< empty: no AUTH is sent
  unsigned database = 0;

  friend bool operator==(const RedisAddress&, const RedisAddress&) = default;
};

struct RedisStatistics {
  bool well = false;       ///< commands are answered and news comes in
  bool publishes = false;  ///< this instance is the one that tells the others of the log
  std::uint64_t commands = 0;
  std::uint64_t command_failures = 0;  ///< refused, or without an answer
  std::uint64_t pages_published = 0;   ///< with entries; an over-large one goes as its last seq alone
  std::uint64_t pages_dropped = 0;     ///< not published: Redis was away, or too much waited
  std::uint64_t pages_received = 0;    ///< with entries, of other instances
  std::uint64_t messages_refused = 0;  ///< that are none of ours, or that the database contradicts
  std::uint64_t reads_from_bus = 0;    ///< of the log's end that needed no database
  std::uint64_t reads_from_database = 0;
  std::uint64_t addresses_elsewhere = 0;  ///< known to have feeds on other instances
  std::uint64_t rates_shared = 0;         ///< counted for a limit over all instances
  std::uint64_t rates_alone = 0;          ///< counted by this instance only
};

/// What instances share through Redis, as long as it is there: news of the log, so that one of them reads it for all,
/// how many feeds each address has, and how often a client has written. The truth is PostgreSQL's: whatever Redis
/// loses, doubles, delays or says in error about which entries there are is noticed by `seq` or by silence, and the
/// database is read instead. Who can write to Redis is believed about what an entry says, so nobody else may. Two
/// threads: one sends commands, one listens. No call waits for Redis.
class Redis {
 public:
  using MakeTail = std::function<std::unique_ptr<ports::LogTail>()>;

  /// All outlive it.
  Redis(RedisAddress address, ports::Clock& clock, ports::Random& random, ports::Log& log);
  /// Stops; tails that it made must be gone.
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  /// The log's end, from other instances' news where they continue what was read, else from a tail of the database's.
  /// `database` makes a tail whose connection opens when it is first used. One such tail for each Redis object.
  [[nodiscard]] std::unique_ptr<ports::LogTail> make_tail(MakeTail database);
  [[nodiscard]] ports::ConnectionCounts& connection_counts();
  [[nodiscard]] ports::RateCounts& rate_counts();

  void start();
  /// Sends what waits and ends both threads; takes seconds where Redis hangs.
  void stop();

  /// Both from any thread, at once.
  [[nodiscard]] bool is_well() const;
  [[nodiscard]] RedisStatistics statistics() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace fluxora::redis
