#include "stream_writer.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "connection.hpp"

namespace fluxora::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t batch_limit = 256;  // writes that a transaction takes from each of the two queues
constexpr int write_timeout_ms = 10'000;
constexpr int lock_timeout_ms = 2'000;             // of one try; the patience of each write decides about the next
constexpr milliseconds patience{15'000};           // for the log's lock
constexpr milliseconds same_key_patience{10'000};  // for another request with the same key: SPEC section 5
constexpr milliseconds retry_pause{20};            // of what was set aside
constexpr milliseconds doubt_patience{1'500};      // what a caller waits for in an outage stays under 2 s
constexpr milliseconds removal_pause{60'000};

bool is_lock_timeout(const std::exception& error) {
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  return sql != nullptr && sql->sqlstate() == "55P03";
}

}  // namespace

PostgresStreamWriter::PostgresStreamWriter(StoreOptions options, ReadPool& pool, ports::Log& log)
    : options_(std::move(options)), pool_(pool), log_(log), next_removal_(steady_clock::now()) {
  thread_ = std::thread([this] { run(); });
}

PostgresStreamWriter::~PostgresStreamWriter() {
  stop();
}

void PostgresStreamWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (std::deque<PendingWrite>* waiting : {&queue_, &set_aside_}) {
    for (PendingWrite& write : *waiting) write.reply(tl::unexpected(ports::StoreFailure::unavailable));
    waiting->clear();
  }
}

void PostgresStreamWriter::create(ports::StreamCreation creation, ports::Reply<ports::WriteAnswer> reply) {
  enqueue({std::move(creation), std::move(reply), steady_clock::now()});
}

void PostgresStreamWriter::change(ports::StreamChange change, ports::Reply<ports::WriteAnswer> reply) {
  enqueue({std::move(change), std::move(reply), steady_clock::now()});
}

void PostgresStreamWriter::find_creation(ports::IdempotencyKey key,
                                         ports::Reply<std::optional<ports::WriteAnswer>> reply) {
  pool_.run<std::optional<ports::WriteAnswer>>(std::move(reply), [key = std::move(key)](pqxx::connection& connection) {
    return store::find_creation(connection, key);
  });
}

void PostgresStreamWriter::enqueue(PendingWrite write) {
  auto refusal = ports::StoreFailure::busy;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() + set_aside_.size() < options_.queue_limit) {
      queue_.push_back(std::move(write));
      wake_.notify_one();
      return;
    }
    if (stopping_) refusal = ports::StoreFailure::unavailable;
  }
  write.reply(tl::unexpected(refusal));
}

void PostgresStreamWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto ready = [this] { return stopping_ || !queue_.empty(); };
    if (set_aside_.empty()) {
      wake_.wait(lock, ready);
    } else {
      wake_.wait_for(lock, retry_pause, ready);
    }
    if (stopping_) return;
    Batch batch = take_batch();
    lock.unlock();
    perform(std::move(batch));
    remove_expired_keys();
    lock.lock();
  }
}

PostgresStreamWriter::Batch PostgresStreamWriter::take_batch() {
  Batch batch;
  for (std::deque<PendingWrite>* from : {&set_aside_, &queue_}) {
    for (std::size_t left = std::min(from->size(), batch_limit); left > 0; --left) {
      batch.push_back(std::move(from->front()));
      from->pop_front();
    }
  }
  return batch;
}

void PostgresStreamWriter::perform(Batch batch) {
  if (const auto outcome = try_batch(batch)) deliver(batch, *outcome);
}

std::optional<BatchOutcome> PostgresStreamWriter::try_batch(Batch& batch) {
  for (bool fresh = connection_ == nullptr;; fresh = true) {
    try {
      if (!connection_) {
        connection_ = connect(options_, "write", write_timeout_ms);
        pqxx::nontransaction(*connection_).exec("SET lock_timeout = " + std::to_string(lock_timeout_ms));
      }
      BatchOutcome outcome = write_batch(*connection_, fan_out_, options_.log_partition_entries, batch);
      if (outcome.in_doubt.empty()) return outcome;
      const auto committed = resolve_doubt(outcome.in_doubt);
      if (committed && *committed) return outcome;
      if (!committed || fresh) {
        fail(batch, ports::StoreFailure::unavailable);
        return std::nullopt;
      }
      // It is known to have come to nothing: once more.
    } catch (const std::exception& error) {
      if (!try_again_after(error, fresh, batch)) return std::nullopt;
    }
  }
}

bool PostgresStreamWriter::try_again_after(const std::exception& error, bool fresh, Batch& batch) {
  if (is_lock_timeout(error)) {
    set_aside(std::move(batch), /*key_is_held=*/false);
    return false;
  }
  connection_.reset();
  const bool outage = is_outage(error);
  // A connection that was kept may have died since; only such a one earns a second try.
  if (outage && !fresh) return true;
  if (outage || batch.size() == 1) {
    fail(batch, report_failure(error, log_));
    return false;
  }
  // One that the database doesn't take must not take the others along.
  for (PendingWrite& write : batch) {
    Batch alone;
    alone.push_back(std::move(write));
    perform(std::move(alone));
  }
  return false;
}

std::optional<bool> PostgresStreamWriter::resolve_doubt(const std::string& transaction) {
  log_.warn("commit_in_doubt", "The connection was lost during a commit.");
  connection_.reset();
  for (const auto end = steady_clock::now() + doubt_patience; steady_clock::now() < end;) {
    try {
      const auto connection = connect(options_, "write", write_timeout_ms);
      if (const auto committed = has_committed(*connection, transaction)) return committed;
    } catch (const std::exception& error) {
      if (!is_outage(error)) {
        log_.error("database_error", error.what());
        return std::nullopt;
      }
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, retry_pause, [this] { return stopping_; });
  }
  return std::nullopt;
}

void PostgresStreamWriter::deliver(Batch& batch, const BatchOutcome& outcome) {
  Batch held;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (outcome.answers[i]) {
      batch[i].reply(*outcome.answers[i]);
    } else {
      held.push_back(std::move(batch[i]));
    }
  }
  set_aside(std::move(held), /*key_is_held=*/true);
}

void PostgresStreamWriter::set_aside(Batch writes, bool key_is_held) {
  const auto now = steady_clock::now();
  std::set<std::pair<std::string, std::string>> ahead;
  for (PendingWrite& write : writes) {
    const ports::IdempotencyKey* key = write.key();
    const bool same_key_runs = key_is_held || (key != nullptr && !ahead.emplace(key->caller, key->key).second);
    if (same_key_runs && now - write.since >= same_key_patience) {
      write.reply(ports::WriteAnswer(tl::unexpected(ports::WriteRefusal::key_in_use)));
    } else if (now - write.since >= patience) {
      log_.warn("database_slow", "The log's lock could not be had in time.");
      write.reply(tl::unexpected(ports::StoreFailure::busy));
    } else {
      const std::lock_guard lock(mutex_);
      set_aside_.push_back(std::move(write));
    }
  }
}

void PostgresStreamWriter::fail(Batch& batch, ports::StoreFailure failure) {
  for (PendingWrite& write : batch) write.reply(tl::unexpected(failure));
}

void PostgresStreamWriter::remove_expired_keys() {
  if (!connection_ || steady_clock::now() < next_removal_) return;
  next_removal_ = steady_clock::now() + removal_pause;
  try {
    if (store::remove_expired_keys(*connection_)) next_removal_ = steady_clock::now();
  } catch (const std::exception& error) {
    connection_.reset();
    static_cast<void>(report_failure(error, log_));
  }
}

}  // namespace fluxora::store
