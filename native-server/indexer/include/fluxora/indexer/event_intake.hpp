#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/event_intake.hpp"
#include "fluxora/ports/indexer_status.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::indexer {

struct EventIntakeOptions {
  std::string contracts;           ///< sorted, comma separated, or "*"
  bool fold = true;                ///< false with "*"
  std::string network_passphrase;  ///< empty: nobody has said which network's events come
  std::size_t queue_limit = 64;    ///< batches waiting; beyond: StoreFailure::busy
};

/// What this process has taken since it started. From any thread.
struct EventIntakeStatistics {
  std::uint64_t batches = 0;      ///< committed, those of duplicates alone among them
  std::uint64_t inserted = 0;     ///< events
  std::uint64_t duplicates = 0;   ///< events that the log had already
  std::uint64_t refused = 0;      ///< batches that contradict the log, or can't be entered
  std::uint64_t turned_away = 0;  ///< batches that found too many waiting, or the database out of reach
  std::uint64_t reorgs = 0;       ///< detected
};

/// Enters the batches that others send, one after another, each in a transaction, on a thread of its own. Any instance
/// of a fleet may: whoever holds the checkpoint's row writes, the others wait for it. As the state of the indexer it
/// says how far the log has come, by whichever instance; silence is no trouble.
class EventIntake final : public ports::EventIntake, public ports::IndexerStatusSource {
 public:
  /// All of them outlive it.
  EventIntake(EventIntakeOptions options, ports::LedgerStore& store, ports::Clock& clock, ports::Log& log);
  ~EventIntake() override;
  EventIntake(const EventIntake&) = delete;
  EventIntake& operator=(const EventIntake&) = delete;

  void start();
  /// Answers what waits with `unavailable`, after the batch under way, and joins the thread. Also done by the
  /// destructor.
  void stop();

  void take(std::vector<ports::SentEvent> batch, ports::AuditRecord by,
            ports::Reply<ports::IntakeAnswer> reply) override;
  [[nodiscard]] ports::IndexerStatus status() const override;
  [[nodiscard]] EventIntakeStatistics statistics() const;

  /// Enters the batch that has waited longest; where none does, looks how far the log has come, and returns false.
  /// start() calls it in a loop; tests call it themselves.
  bool step();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::indexer
