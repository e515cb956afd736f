#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/webhook_upkeep.hpp"
#include "fluxora/webhooks/secret_resealer.hpp"

namespace fluxora::webhooks {

struct UpkeepOptions {
  std::optional<ports::ConfiguredEndpoint> configured;                    ///< FLUXORA_WEBHOOK_URL
  core::UnixMillis retention_ms = core::UnixMillis{30} * 24 * 3'600'000;  ///< WEBHOOK_RETENTION_DAYS; finished ones
  /// WEBHOOK_MAX_WAITING: an endpoint for which more waits, and ever more, is disabled.
  std::size_t most_waiting = 1'000'000;
};

struct UpkeepStatistics {
  /// Of the last reading, at most some 10 s old while the database is in reach. None: there was none yet.
  std::optional<ports::DeliveryBacklog> backlog;
  std::uint64_t replay_steps = 0;       ///< that this process has made
  std::uint64_t pruned_deliveries = 0;  ///< that this process has removed
  std::uint64_t overfull_disabled = 0;  ///< endpoints that this process has disabled, for more waited than may
  std::uint64_t failures = 0;           ///< rounds in which the database failed
};

/// The slow work on webhooks on a thread of its own: the configured endpoint, replays, what is kept long enough, how
/// much waits, secrets under former keys. Every instance has one, also where it sends nothing; whoever comes first does
/// it.
class Upkeep {
 public:
  // A replay brings on so many entries a step, while less than so many deliveries wait for its endpoint: both at most,
  // and at most half of what may.
  static constexpr std::size_t replay_step = 500;
  static constexpr std::size_t replay_most_waiting = 10'000;
  static constexpr int replay_steps_a_round = 20;
  static constexpr std::size_t prune_step = 1'000;
  static constexpr int prune_steps_a_round = 20;
  static constexpr core::UnixMillis backlog_every_ms = 10'000;
  static constexpr core::UnixMillis prune_every_ms = 60'000;
  static constexpr core::UnixMillis configure_every_ms = 60'000;

  /// `secrets`: null where no keys are configured. All references outlive it.
  Upkeep(UpkeepOptions options, std::unique_ptr<ports::WebhookUpkeep> store, const core::SecretBox* secrets,
         ports::Clock& clock, ports::Random& random, ports::Log& log);
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  /// Its thread begins. Needs no database to begin.
  void start();
  /// A replay may have something to do. From any thread.
  void wake();
  /// Returns at once.
  void begin_stop();
  /// Ends after what is being asked of the database has its answer.
  void stop();

  /// From any thread.
  [[nodiscard]] UpkeepStatistics statistics() const;

  /// What its thread does again and again. True: there is more to do at once. For tests, which start no thread.
  bool round();

 private:
  void run();
  void configure(core::UnixMillis now);
  void read_backlog(core::UnixMillis now);
  void disable_overfull(std::uint64_t endpoint);
  std::vector<std::uint64_t> take_growing(const std::vector<ports::OverfullEndpoint>& overfull);
  bool prune(core::UnixMillis now);
  bool advance_replays();
  void tell(const std::optional<std::string>& trouble);
  [[nodiscard]] bool is_stopping() const;

  const UpkeepOptions options_;
  std::unique_ptr<ports::WebhookUpkeep> store_;
  ports::Clock& clock_;
  ports::Log& log_;
  // Of the thread:
  bool in_trouble_ = false;
  SecretResealer resealer_;
  std::optional<core::UnixMillis> began_at_;
  std::optional<core::UnixMillis> configured_at_;
  std::optional<core::UnixMillis> backlog_at_;
  std::optional<core::UnixMillis> pruned_at_;
  std::map<std::uint64_t, std::uint64_t> overfull_;  // at the last reading: what waits, for endpoints beyond the bound

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool woken_ = false;
  UpkeepStatistics statistics_;
  std::thread thread_;
};

}  // namespace fluxora::webhooks
