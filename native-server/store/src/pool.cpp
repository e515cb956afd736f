#include "pool.hpp"

#include "connection.hpp"

namespace fluxora::store {
namespace {

/// A statement that the session doesn't know: it is another session than the one that prepared it.
bool is_lost_statement(const std::exception& error) {
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  return sql != nullptr && sql->sqlstate() == "26000";
}

/// Our own statement_timeout.
bool is_timeout(const std::exception& error) {
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  return sql != nullptr && sql->sqlstate() == "57014";
}

/// A standby ends queries that look at what it has to clear away; the next one may do.
bool is_recovery_conflict(const std::exception& error) {
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  return sql != nullptr && (sql->sqlstate() == "40001" || sql->sqlstate() == "40P01");
}

}  // namespace

ReadPool::ReadPool(StoreOptions options, ports::Log& log)
    : options_(std::move(options)), log_(log), primary_(options_, options_.database_url, "database", log) {
  if (!options_.replica_url.empty()) replica_ = std::make_unique<Replica>(options_, primary_, log_);
  threads_.reserve(options_.read_connections);
  for (unsigned i = 0; i < options_.read_connections; ++i) threads_.emplace_back([this] { run_worker(); });
}

ReadPool::~ReadPool() {
  stop();
}

void ReadPool::stop() {
  std::deque<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting.swap(queue_);
  }
  wake_.notify_all();
  for (Waiting& read : waiting) read.task->fail(ports::StoreFailure::unavailable);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  if (replica_) replica_->stop();
  primary_.stop();
}

void ReadPool::add_to(StoreStatistics& statistics) const {
  {
    const std::lock_guard lock(mutex_);
    statistics.waiting += queue_.size();
  }
  statistics.connections = connections_;
  statistics.busy = busy_;
  statistics.refused += refused_;
  statistics.queries = queries_;
  statistics.replica_queries = replica_queries_;
  statistics.replica_fallbacks = replica_fallbacks_;
  statistics.replica_in_use = replica_ && replica_->epoch().has_value();
}

void ReadPool::enqueue(std::unique_ptr<ReadTask> task) {
  auto refusal = ports::StoreFailure::busy;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < options_.queue_limit) {
      queue_.push_back({std::move(task), Clock::now()});
      wake_.notify_one();
      return;
    }
    if (stopping_) refusal = ports::StoreFailure::unavailable;
  }
  ++refused_;
  task->fail(refusal);
}

void ReadPool::run_worker() {
  Connections connections;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) break;
    Waiting read = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    ++busy_;
    perform(read, connections);
    --busy_;
    lock.lock();
  }
  lock.unlock();
  drop(connections.primary);
  drop(connections.replica);
}

void ReadPool::perform(Waiting& read, Connections& connections) {
  const ReadFrom from = read.task->begin();
  if (from == ReadFrom::nothing) return read.task->deliver();
  if (from == ReadFrom::replica && replica_ && read_from_replica(*read.task, connections.replica)) {
    return read.task->deliver();
  }
  if (const auto failure = read_from_primary(read, connections.primary)) return read.task->fail(*failure);
  read.task->deliver();
}

bool ReadPool::read_from_replica(ReadTask& task, std::unique_ptr<ReadConnection>& connection) {
  const auto epoch = replica_->epoch();
  if (!epoch) {
    drop(connection);
    return false;
  }
  for (bool fresh = connection == nullptr;; fresh = true) {
    try {
      if (!connection) connection = open(replica_options());
      ++queries_;
      ++replica_queries_;
      task.read(*connection);
      if (task.accept(*epoch)) return true;
    } catch (const std::exception& error) {
      drop(connection);
      if (is_outage(error) && !fresh && replica_->epoch()) continue;
      if (!is_recovery_conflict(error) && !is_timeout(error)) replica_->report_trouble();
      log_.warn("replica_failed", error.what());
    }
    ++replica_fallbacks_;
    return false;
  }
}

std::optional<ports::StoreFailure> ReadPool::read_from_primary(Waiting& read,
                                                               std::unique_ptr<ReadConnection>& connection) {
  // A connection that was kept may have died since; only such a one earns a second try.
  for (bool fresh = connection == nullptr;; fresh = true) {
    // Those that wait for a database that nobody could reach meanwhile needn't try it one after another.
    if (!connection && was_unreachable_after(read.since)) return ports::StoreFailure::unavailable;
    try {
      if (!connection) connection = open(options_);
      ++queries_;
      read.task->read(*connection);
      return std::nullopt;
    } catch (const std::exception& error) {
      if (is_timeout(error)) return report_failure(error, log_);  // the session is as good as before
      drop(connection);
      const bool outage = is_outage(error);
      if ((outage || is_lost_statement(error)) && !fresh) continue;
      if (outage) note_unreachable();
      return report_failure(error, log_);
    }
  }
}

StoreOptions ReadPool::replica_options() const {
  StoreOptions options = options_;
  options.database_url = options.replica_url;
  // There is the primary to ask: a read doesn't wait as long for a replica's host that has vanished.
  options.tcp_user_timeout_ms = 2'000;
  return options;
}

std::unique_ptr<ReadConnection> ReadPool::open(StoreOptions options) {
  auto connection = connect(options, "read", options.read_timeout_ms);
  // Our statements find their rows by an index whatever their parameters: planning them each time is wasted.
  pqxx::nontransaction(*connection).exec("SET plan_cache_mode = force_generic_plan");
  ++connections_;
  return std::make_unique<ReadConnection>(std::move(connection));
}

void ReadPool::drop(std::unique_ptr<ReadConnection>& connection) {
  if (connection) --connections_;
  connection.reset();
}

bool ReadPool::was_unreachable_after(Clock::time_point since) const {
  const std::lock_guard lock(mutex_);
  return unreachable_at_ > since;
}

void ReadPool::note_unreachable() {
  primary_.report_trouble();
  const std::lock_guard lock(mutex_);
  unreachable_at_ = Clock::now();
}

}  // namespace fluxora::store
