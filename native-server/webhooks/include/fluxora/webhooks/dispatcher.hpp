#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fluxora/core/retry_schedule.hpp"
#include "fluxora/core/secret_box.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/tracing.hpp"
#include "fluxora/ports/webhook_transport.hpp"

namespace fluxora::webhooks {

struct DispatcherOptions {
  core::RetrySchedule schedule;        ///< WEBHOOK_RETRY_SCHEDULE
  unsigned concurrency = 256;          ///< requests at once, in all; > 0
  unsigned endpoint_concurrency = 10;  ///< requests at once to one endpoint; > 0
  /// An endpoint that has taken nothing for so long is disabled. SPEC section 8.
  core::UnixMillis disable_after_ms = core::UnixMillis{5} * 24 * 3'600'000;
  std::string
      configured_secret;  ///< FLUXORA_WEBHOOK_SECRET, of the endpoint that has none in the database; may be empty
};

/// How attempts ended.
enum class AttemptOutcome : std::uint8_t {
  delivered,
  retry,      ///< it failed, and is tried again
  dead,       ///< it failed, and that was the last try: a dead letter
  cancelled,  ///< we are ending: as if it hadn't been made
  disowned,   ///< it ended when its lane wasn't ours any more; who has it makes its own
};
/// As metrics name them.
inline constexpr std::array<std::string_view, 5> attempt_outcomes = {"delivered", "retry", "dead", "cancelled",
                                                                     "disowned"};

/// What answers and failures are counted under, as metrics name it: a class of statuses, or a transport failure.
inline constexpr std::array<std::string_view, 11> answer_kinds = {"2xx",
                                                                  "3xx",
                                                                  "4xx",
                                                                  "5xx",
                                                                  "other",
                                                                  "target_refused",
                                                                  "resolve_failed",
                                                                  "connect_failed",
                                                                  "tls_failed",
                                                                  "timed_out",
                                                                  "protocol_failed"};

/// What a dispatcher disables endpoints for.
inline constexpr std::array<ports::DisableReason, 2> disable_reasons = {ports::DisableReason::gone,
                                                                        ports::DisableReason::failing};

/// How long attempts took that had an answer or failed: how many up to each bound, and beyond the last.
struct AttemptDurations {
  static constexpr std::array<std::uint32_t, 14> bounds_ms = {1,   2,   5,     10,    25,    50,     100,
                                                              250, 500, 1'000, 2'500, 5'000, 10'000, 15'000};
  std::array<std::uint64_t, bounds_ms.size() + 1> counts{};  ///< of each bucket alone; the last: beyond every bound
  std::uint64_t sum_ms = 0;
};

/// What this process's dispatcher has done and has in hand.
struct DispatcherStatistics {
  std::array<std::uint64_t, attempt_outcomes.size()> attempts{};           ///< as attempt_outcomes
  std::array<std::uint64_t, answer_kinds.size()> answers{};                ///< as answer_kinds; none of the cancelled
  std::array<std::uint64_t, disable_reasons.size()> endpoints_disabled{};  ///< as disable_reasons
  AttemptDurations durations;
  std::uint64_t in_flight = 0;           ///< requests on their way
  std::uint64_t claimed_lanes = 0;       ///< those in flight among them
  std::uint64_t circuits_open = 0;       ///< endpoints that are left alone because they don't answer, or asked for it
  std::uint64_t results_waiting = 0;     ///< attempts that ended and aren't recorded yet
  std::uint64_t claims_lost = 0;         ///< times that our time was over: what we had claimed was anyone's
  std::uint64_t secrets_unreadable = 0;  ///< times that nothing was sent because a secret can't be opened
  std::uint64_t queue_failures = 0;      ///< calls of the queue that failed
  std::string queue_error;               ///< of the last call; empty: it went well. For people, not for metrics
};

/// Takes deliveries that wait and sends them: in seq order per stream and endpoint, other streams and endpoints going
/// on. SPEC section 8, "Delivery". Any number of processes have one each on the same database.
class Dispatcher {
 public:
  /// What a send that begins knows of its endpoint (that it is enabled, its URL, its secrets) is at most so old.
  static constexpr core::UnixMillis claim_fresh_ms = 5'000;

  /// `secrets`: null where no keys are configured; nothing that is sealed can be sent then. `tracer` may be null. All
  /// references outlive it and the transport's last answer, which may come after its end.
  Dispatcher(DispatcherOptions options, std::unique_ptr<ports::DeliveryQueue> queue, ports::WebhookTransport& transport,
             const core::SecretBox* secrets, ports::Clock& clock, ports::Random& random, ports::Log& log,
             ports::Tracer* tracer);
  /// As stop() that waits for nothing, where it was started. Else what it has claimed is left as a crash leaves it.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Its thread begins: looks once a second by itself. Needs no database to begin.
  void start();
  /// Something may be due. From any thread; cheap, also where it comes often.
  void wake();
  /// Nothing new is sent. Returns at once.
  void begin_stop();
  /// Waits for what is in flight, at most for `within`, records how it ended and gives back what is claimed. The
  /// transport still has to answer meanwhile; what it answers later is dropped. Blocks as long as the database does.
  void stop(std::chrono::milliseconds within);

  /// From any thread.
  [[nodiscard]] DispatcherStatistics statistics() const;

  /// What its thread does again and again: records what has ended, claims what there is room for, disables, and
  /// begins to send. For tests, which own time and start no thread.
  void round();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with requests in flight
};

}  // namespace fluxora::webhooks
