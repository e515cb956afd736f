#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

#include "database_watch.hpp"
#include "fluxora/ports/event_log.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/store_result.hpp"
#include "fluxora/ports/stream_reader.hpp"
#include "fluxora/store/store.hpp"
#include "read_connection.hpp"
#include "replica.hpp"

namespace fluxora::store {

/// Where a read may be answered.
enum class ReadFrom : std::uint8_t {
  nothing,  ///< it has nothing to read any more
  primary,
  replica,  ///< or the primary
};

/// A read as the pool sees it: everything but fail() happens on one of the pool's threads.
class ReadTask {
 public:
  virtual ~ReadTask() = default;
  /// Called once, before anything is read.
  virtual ReadFrom begin() = 0;
  /// Called again, with another connection, where the first turned out dead or its answer too old. Throws as libpqxx
  /// does.
  virtual void read(ReadConnection& connection) = 0;
  /// A replica has answered: true where that will do, the primary's log being `epoch`.
  virtual bool accept(const std::string& epoch) = 0;
  virtual void deliver() = 0;
  virtual void fail(ports::StoreFailure failure) = 0;
};

/// When an answer was read, in the same snapshot.
template <class T>
[[nodiscard]] const ports::ReadPoint& point_of(const T& answer) {
  return answer.at;
}
[[nodiscard]] inline const ports::LogHead& point_of(const ports::EventPage& page) {
  return page.head;
}

/// Whether an answer was read from the log `epoch`, and no earlier than `min_seq`.
template <class Point>
[[nodiscard]] bool is_new_enough(const Point& at, const std::string& epoch, std::uint64_t min_seq) {
  return at.epoch == epoch && at.head_seq >= min_seq;
}

/// Threads with a connection each, and one to the replica where there is one, behind a bounded queue. A connection and
/// all that belongs to it stay on their thread. A read whose connection turns out dead is done once more on a new one.
class ReadPool {
 public:
  ReadPool(StoreOptions options, ports::Log& log);
  ~ReadPool();
  /// Fails what waits, lets what runs end, and joins. Nothing is replied after it.
  void stop();
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  void add_to(StoreStatistics& statistics) const;
  /// As the primary's watch and the reads find it.
  [[nodiscard]] bool database_is_well() const { return primary_.is_well(); }

  void enqueue(std::unique_ptr<ReadTask> task);

  /// Runs `work` on a thread of the pool, with the primary, and replies what it returns, or why it couldn't.
  template <class T>
  void run(ports::Reply<T> reply, std::function<T(pqxx::connection&)> work) {
    enqueue(std::make_unique<PrimaryRead<T>>(std::move(reply), std::move(work)));
  }

  /// The same with the replica, where there is one whose answer shows the log up to `min_seq`.
  template <class T>
  void run_replicated(std::uint64_t min_seq, ports::Reply<T> reply, std::function<T(ReadConnection&)> work) {
    enqueue(std::make_unique<ReplicatedRead<T>>(min_seq, std::move(reply), std::move(work)));
  }

 private:
  template <class T>
  class PrimaryRead final : public ReadTask {
   public:
    PrimaryRead(ports::Reply<T> reply, std::function<T(pqxx::connection&)> work)
        : reply_(std::move(reply)), work_(std::move(work)) {}
    ReadFrom begin() override { return ReadFrom::primary; }
    void read(ReadConnection& connection) override { answer_.emplace(work_(connection.plain())); }
    bool accept(const std::string&) override { return false; }
    void deliver() override { reply_(std::move(*answer_)); }
    void fail(ports::StoreFailure failure) override { reply_(tl::unexpected(failure)); }

   private:
    ports::Reply<T> reply_;
    std::function<T(pqxx::connection&)> work_;
    std::optional<T> answer_;
  };

  template <class T>
  class ReplicatedRead final : public ReadTask {
   public:
    ReplicatedRead(std::uint64_t min_seq, ports::Reply<T> reply, std::function<T(ReadConnection&)> work)
        : min_seq_(min_seq), reply_(std::move(reply)), work_(std::move(work)) {}
    ReadFrom begin() override { return min_seq_ == ports::newest ? ReadFrom::primary : ReadFrom::replica; }
    void read(ReadConnection& connection) override { answer_.emplace(work_(connection)); }
    bool accept(const std::string& epoch) override { return is_new_enough(point_of(*answer_), epoch, min_seq_); }
    void deliver() override { reply_(std::move(*answer_)); }
    void fail(ports::StoreFailure failure) override { reply_(tl::unexpected(failure)); }

   private:
    std::uint64_t min_seq_;
    ports::Reply<T> reply_;
    std::function<T(ReadConnection&)> work_;
    std::optional<T> answer_;
  };

  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::unique_ptr<ReadTask> task;
    Clock::time_point since;
  };
  /// A thread's.
  struct Connections {
    std::unique_ptr<ReadConnection> primary;
    std::unique_ptr<ReadConnection> replica;
  };

  void run_worker();
  void perform(Waiting& read, Connections& connections);
  /// True: the task has its answer.
  bool read_from_replica(ReadTask& task, std::unique_ptr<ReadConnection>& connection);
  /// None: the task has its answer.
  std::optional<ports::StoreFailure> read_from_primary(Waiting& read, std::unique_ptr<ReadConnection>& connection);
  std::unique_ptr<ReadConnection> open(StoreOptions options);
  [[nodiscard]] StoreOptions replica_options() const;
  void drop(std::unique_ptr<ReadConnection>& connection);
  [[nodiscard]] bool was_unreachable_after(Clock::time_point since) const;
  void note_unreachable();

  StoreOptions options_;
  ports::Log& log_;
  DatabaseWatch primary_;
  std::unique_ptr<Replica> replica_;  ///< none: not configured
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> queue_;
  bool stopping_ = false;
  Clock::time_point unreachable_at_{};  ///< when the primary was last found out of reach
  std::atomic<unsigned> connections_{0};
  std::atomic<unsigned> busy_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> queries_{0};
  std::atomic<std::uint64_t> replica_queries_{0};
  std::atomic<std::uint64_t> replica_fallbacks_{0};
  std::vector<std::thread> threads_;
};

}  // namespace fluxora::store
