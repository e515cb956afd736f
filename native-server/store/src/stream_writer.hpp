#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/log.hpp"
#include "fluxora/ports/stream_writer.hpp"
#include "fluxora/store/store.hpp"
#include "pool.hpp"
#include "stream_batch.hpp"

namespace fluxora::store {

/// A thread that takes all writes that wait and does them in one transaction: the log's end is locked, and the disk
/// waited for, once for all of them.
class PostgresStreamWriter final : public ports::StreamWriter {
 public:
  /// `pool` for what only reads.
  PostgresStreamWriter(StoreOptions options, ReadPool& pool, ports::Log& log);
  ~PostgresStreamWriter() override;
  /// Ends what runs, fails what waits, and joins. Nothing is replied after it.
  void stop();

  void create(ports::StreamCreation creation, ports::Reply<ports::WriteAnswer> reply) override;
  void change(ports::StreamChange change, ports::Reply<ports::WriteAnswer> reply) override;
  void find_creation(ports::IdempotencyKey key, ports::Reply<std::optional<ports::WriteAnswer>> reply) override;

 private:
  using Batch = std::vector<PendingWrite>;

  void enqueue(PendingWrite write);
  void run();
  [[nodiscard]] Batch take_batch();
  void perform(Batch batch);
  /// The batch's answers; none where the writes were dealt with otherwise.
  std::optional<BatchOutcome> try_batch(Batch& batch);
  /// After an exception: whether the batch deserves another try. If not, it has been dealt with.
  bool try_again_after(const std::exception& error, bool fresh, Batch& batch);
  /// How a transaction in doubt has ended; none when the database doesn't say in time.
  std::optional<bool> resolve_doubt(const std::string& transaction);
  void deliver(Batch& batch, const BatchOutcome& outcome);
  /// Keeps writes for the next transaction, but not those that have waited long enough.
  void set_aside(Batch writes, bool key_is_held);
  static void fail(Batch& batch, ports::StoreFailure failure);
  void remove_expired_keys();

  const StoreOptions options_;
  ReadPool& pool_;
  ports::Log& log_;
  std::unique_ptr<pqxx::connection> connection_;  // the thread's
  WebhookFanOut fan_out_;                         // the thread's
  std::chrono::steady_clock::time_point next_removal_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<PendingWrite> queue_;
  std::deque<PendingWrite> set_aside_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fluxora::store
