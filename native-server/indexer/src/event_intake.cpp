#include "fluxora/indexer/event_intake.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/chain_tip.hpp"
#include "fluxora/indexer/take_events.hpp"

namespace fluxora::indexer {
namespace {

// How old what is shown of the log may be, where other instances take the batches.
constexpr std::chrono::seconds look_interval{2};
constexpr std::string_view database_away = "The database can't be reached, or takes no writes.";

}  // namespace

class EventIntake::Impl {
 public:
  Impl(EventIntakeOptions options, ports::LedgerStore& store, ports::Clock& clock, ports::Log& log)
      : options_(std::move(options)), store_(store), clock_(clock), log_(log) {
    status_.state = ports::IndexerStatus::State::starting;
    status_.follows_rpc = false;
    status_.rpc_healthy = true;
    status_.network = options_.network_passphrase;
    status_.summary = "Starting.";
  }

  void start() {
    thread_ = std::thread([this] {
      while (!wait_for_work()) step();
    });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    std::deque<Waiting> left;
    {
      const std::lock_guard lock(mutex_);
      left.swap(queue_);
    }
    for (const Waiting& waiting : left) waiting.reply(tl::unexpected(ports::StoreFailure::unavailable));
  }

  void take(std::vector<ports::SentEvent> batch, ports::AuditRecord by, ports::Reply<ports::IntakeAnswer> reply) {
    ports::StoreFailure failure = ports::StoreFailure::unavailable;
    {
      const std::lock_guard lock(mutex_);
      if (!ending_ && queue_.size() < options_.queue_limit) {
        queue_.push_back({std::move(batch), std::move(by), std::move(reply)});
        wake_.notify_one();
        return;
      }
      if (!ending_) failure = ports::StoreFailure::busy;
      ++statistics_.turned_away;
    }
    reply(tl::unexpected(failure));
  }

  bool step() {
    std::optional<Waiting> next;
    {
      const std::lock_guard lock(mutex_);
      if (!queue_.empty()) {
        next.emplace(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    if (!next) {
      look();
      return false;
    }
    next->reply(enter(*next));
    return true;
  }

  ports::IndexerStatus status() const {
    const core::UnixMillis now = clock_.now();
    const std::lock_guard lock(mutex_);
    ports::IndexerStatus status = status_;
    status.lag_ms = std::max<std::int64_t>(0, now - status.last_successful_sync.value_or(now));
    return status;
  }

  EventIntakeStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  struct Waiting {
    std::vector<ports::SentEvent> batch;
    ports::AuditRecord by;
    ports::Reply<ports::IntakeAnswer> reply;
  };

  /// Until there is a batch, or it is time to look. True when it is time to end.
  bool wait_for_work() {
    std::unique_lock lock(mutex_);
    const auto wanted = [this] { return ending_ || !queue_.empty(); };
    wake_.wait_for(lock, std::exchange(looked_, true) ? look_interval : std::chrono::seconds(0), wanted);
    return ending_;
  }

  ports::StoreResult<ports::IntakeAnswer> enter(Waiting& waiting) {
    try {
      const auto transaction = store_.begin_at_held({options_.network_passphrase, options_.contracts});
      auto taken = take_events(waiting.batch, options_.fold, std::move(waiting.by), *transaction);
      if (!taken) {
        count([](EventIntakeStatistics& counts) { ++counts.refused; });
        log_.warn("batch_refused", taken.error().message);
        return ports::IntakeAnswer(tl::unexpected(std::move(taken.error())));
      }
      entered(*taken);
      return ports::IntakeAnswer(std::move(taken->receipt));
    } catch (const ports::ForeignLog& error) {
      count([](EventIntakeStatistics& counts) { ++counts.refused; });
      halted(error.what());
      return ports::IntakeAnswer(
          tl::unexpected(ports::IntakeRefusal{ports::IntakeRefusal::Reason::foreign_log, error.what(), {}}));
    } catch (const ports::StoreUnavailable& error) {
      failed(database_away, error.what());
      count([](EventIntakeStatistics& counts) { ++counts.turned_away; });
      return tl::unexpected(ports::StoreFailure::unavailable);
    } catch (const std::exception& error) {
      // Not expected. The transaction is gone with its scope, and so is the connection, whatever state it is in.
      store_.stop_leading();
      log_.error("intake_error", error.what());
      return tl::unexpected(ports::StoreFailure::internal);
    }
  }

  void entered(const TakenEvents& taken) {
    if (taken.reorg) {
      tip_.reorganised(*taken.reorg);
      log_.warn("reorg_detected", "a ledger that is held came with another hash",
                {{"ledger", std::uint64_t{taken.reorg->ledger}},
                 {"existingHash", core::hex_encode(taken.reorg->existing_hash)},
                 {"incomingHash", core::hex_encode(taken.reorg->incoming_hash)},
                 {"retracted", static_cast<std::uint64_t>(taken.retracted)}});
    } else if (taken.retracted > 0) {
      log_.info("late_events", "", {{"retracted", static_cast<std::uint64_t>(taken.retracted)}});
    }
    const std::lock_guard lock(mutex_);
    ++statistics_.batches;
    statistics_.inserted += taken.receipt.inserted_ids.size();
    statistics_.duplicates += taken.receipt.duplicate_ids.size();
    if (taken.reorg) ++statistics_.reorgs;
    show(taken.checkpoint, clock_.now());
  }

  /// What the other instances have taken is shown as well.
  void look() {
    try {
      const ports::IndexProgress progress = store_.progress();
      const std::lock_guard lock(mutex_);
      if (status_.network.empty()) status_.network = progress.network;
      if (status_.state == ports::IndexerStatus::State::halted) return;  // until a batch can be entered
      show(progress.checkpoint, progress.checkpoint ? std::optional(progress.updated_at) : std::nullopt);
    } catch (const ports::StoreUnavailable& error) {
      failed(database_away, error.what());
    } catch (const std::exception& error) {
      store_.stop_leading();
      failed("An unexpected error: the log says more.", error.what());
    }
  }

  /// Under the lock.
  void show(const std::optional<ports::Checkpoint>& checkpoint, std::optional<core::UnixMillis> synced_at) {
    status_.state = ports::IndexerStatus::State::healthy;
    status_.summary = "Takes events at /internal/indexer/contract-events.";
    // The store's time of a batch that is ours is a little earlier than what was shown of it.
    if (synced_at) synced_at = std::max(*synced_at, status_.last_successful_sync.value_or(*synced_at));
    status_.last_successful_sync = synced_at;
    status_.last_ledger = status_.last_safe_ledger = checkpoint ? checkpoint->ledger : 0;
    if (checkpoint) {
      // The newest ledger that anyone spoke of is the tip that there is.
      static_cast<void>(tip_.plan(checkpoint->ledger, checkpoint->ledger, checkpoint->ledger, std::nullopt, 0));
      tip_.indexed(checkpoint->ledger);
    }
    status_.reorg_detected = tip_.reorg_detected();
    last_trouble_.clear();
  }

  void halted(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (status_.state != ports::IndexerStatus::State::halted) log_.error("intake_halted", why);
    status_.state = ports::IndexerStatus::State::halted;
    status_.summary = why;
  }

  /// `summary` is for everyone; `why` may quote the database, and is for the log alone.
  void failed(std::string_view summary, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(last_trouble_, why) != why) log_.warn("database_unavailable", why);
    if (status_.state != ports::IndexerStatus::State::halted) status_.summary = summary;
  }

  template <class Change>
  void count(Change change) {
    const std::lock_guard lock(mutex_);
    change(statistics_);
  }

  const EventIntakeOptions options_;
  ports::LedgerStore& store_;
  ports::Clock& clock_;
  ports::Log& log_;

  // The thread's own.
  core::ChainTip tip_{0};
  bool looked_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> queue_;
  bool ending_ = false;
  ports::IndexerStatus status_;
  EventIntakeStatistics statistics_;
  std::string last_trouble_;
  std::thread thread_;
};

EventIntake::EventIntake(EventIntakeOptions options, ports::LedgerStore& store, ports::Clock& clock, ports::Log& log)
    : impl_(std::make_unique<Impl>(std::move(options), store, clock, log)) {}

EventIntake::~EventIntake() {
  stop();
}

void EventIntake::start() {
  impl_->start();
}
void EventIntake::stop() {
  impl_->stop();
}
void EventIntake::take(std::vector<ports::SentEvent> batch, ports::AuditRecord by,
                       ports::Reply<ports::IntakeAnswer> reply) {
  impl_->take(std::move(batch), std::move(by), std::move(reply));
}
ports::IndexerStatus EventIntake::status() const {
  return impl_->status();
}
EventIntakeStatistics EventIntake::statistics() const {
  return impl_->statistics();
}
bool EventIntake::step() {
  return impl_->step();
}

}  // namespace fluxora::indexer
