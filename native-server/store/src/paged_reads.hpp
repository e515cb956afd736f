#pragma once

#include <chrono>
#include <condition_variable>
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

#include "connection.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/paged_read.hpp"
#include "fluxora/store/store.hpp"

namespace fluxora::store {

using Deadline = std::chrono::steady_clock::time_point;

/// A long read as the thread sees that it runs on.
class PagedReadJob {
 public:
  virtual ~PagedReadJob() = default;
  /// What it is called in logs and in the database: "export".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Gives pages until the last one, the deadline, or until nobody asks any more. The last one is given by what it
  /// returns, if anything: who has it may come back at once, and is to find the place free. Throws as libpqxx does.
  virtual std::function<void()> serve(pqxx::connection& connection, Deadline deadline, int timeout_ms,
                                      ports::Log& log) = 0;
  /// From any thread: what is asked for from now on fails with `why`.
  virtual void interrupt(ports::StoreFailure why) = 0;
  /// After serve(), or instead of it: what still waits for an answer fails with `why`.
  virtual void finish(ports::StoreFailure why) = 0;
};

/// `max_exports` threads, each for one long read at a time: a connection, a repeatable-read transaction and cursors in
/// it, from the read's beginning to its end. Between two pages the thread waits for its reader.
class PagedReadThreads {
 public:
  PagedReadThreads(StoreOptions options, ports::Log& log);
  ~PagedReadThreads();
  PagedReadThreads(const PagedReadThreads&) = delete;
  PagedReadThreads& operator=(const PagedReadThreads&) = delete;

  /// Refuses with `busy` when all threads have one, with `unavailable` after stop().
  void start(std::shared_ptr<PagedReadJob> job);
  /// Ends what runs and joins. Nothing is replied after it.
  void stop();

 private:
  void run_worker();
  /// Leaves in `why` what is to be said to who still waits then.
  std::function<void()> perform(PagedReadJob& job, ports::StoreFailure& why);

  StoreOptions options_;
  ports::Log& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<std::shared_ptr<PagedReadJob>> waiting_;
  std::vector<std::shared_ptr<PagedReadJob>> running_;  ///< so that stop() can interrupt them
  std::vector<std::thread> threads_;
};

/// Makes the transaction one read-only snapshot, of one log.
void begin_snapshot(pqxx::transaction_base& sql);
/// The same. Where this process or its host stands still for longer than that, the database gives it up by itself.
void open_snapshot(pqxx::transaction_base& sql, int idle_timeout_ms);

/// What a long read's reader and its thread share.
template <class Page>
class PageRequests {
 public:
  using PageReply = ports::Reply<Page>;

  /// The reader's side: never blocks.
  void ask(PageReply reply) {
    std::optional<ports::StoreFailure> over;
    {
      const std::lock_guard lock(mutex_);
      over = over_;
      if (!over) asked_ = std::move(reply);
    }
    changed_.notify_one();
    if (over) reply(tl::unexpected(*over));
  }

  /// From either side, or from stop(): nothing more is read. What was asked for, and what will be, fails with `why`.
  void end(ports::StoreFailure why) {
    PageReply unanswered;
    {
      const std::lock_guard lock(mutex_);
      if (!over_) over_ = why;
      unanswered.swap(asked_);
    }
    changed_.notify_one();
    if (unanswered) unanswered(tl::unexpected(why));
  }

  /// The thread's side: the next request, or none when it is over or takes too long.
  PageReply wait(Deadline deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [this] { return asked_ || over_; });
    if (over_ || std::chrono::steady_clock::now() >= deadline) return {};
    return std::exchange(asked_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  PageReply asked_;
  std::optional<ports::StoreFailure> over_;
};

/// A long read of a Source: what knows how to read the pages. It is made on its thread, with (connection, query,
/// timeout_ms), and has
///   - types Query, Start and Page, and a constant `name`,
///   - `const Start& at()` and `Page next_page()`.
template <class Source>
class SourceJob final : public PagedReadJob {
 public:
  using Page = typename Source::Page;
  using Read = ports::PagedRead<typename Source::Start, Page>;

  SourceJob(typename Source::Query query, ports::Reply<std::shared_ptr<Read>> reply)
      : query_(std::move(query)), reply_(std::move(reply)) {}

  [[nodiscard]] std::string_view name() const override { return Source::name; }

  std::function<void()> serve(pqxx::connection& connection, Deadline deadline, int timeout_ms,
                              ports::Log& log) override {
    Source source(connection, query_, timeout_ms);
    // The reply may drop the read at once; this thread holds what it needs.
    std::exchange(reply_, {})(std::make_shared<ReaderSide>(requests_, source.at()));
    while (const auto reply = requests_->wait(deadline)) {
      ports::StoreResult<Page> page = tl::unexpected(ports::StoreFailure::internal);
      try {
        page = source.next_page();
      } catch (const std::exception& error) {
        page = tl::unexpected(report_failure(error, log));
      }
      if (!page || page->last) {
        return [reply, page = std::make_shared<ports::StoreResult<Page>>(std::move(page))] { reply(std::move(*page)); };
      }
      reply(std::move(page));
    }
    return {};
  }

  void interrupt(ports::StoreFailure why) override { requests_->end(why); }

  void finish(ports::StoreFailure why) override {
    if (reply_) std::exchange(reply_, {})(tl::unexpected(why));
    requests_->end(why);
  }

 private:
  class ReaderSide final : public Read {
   public:
    ReaderSide(std::shared_ptr<PageRequests<Page>> requests, typename Source::Start at)
        : requests_(std::move(requests)), at_(std::move(at)) {}
    ~ReaderSide() override { requests_->end(ports::StoreFailure::unavailable); }
    ReaderSide(const ReaderSide&) = delete;
    ReaderSide& operator=(const ReaderSide&) = delete;

    [[nodiscard]] const typename Source::Start& at() const override { return at_; }
    void next(ports::Reply<Page> reply) override { requests_->ask(std::move(reply)); }

   private:
    std::shared_ptr<PageRequests<Page>> requests_;
    typename Source::Start at_;
  };

  typename Source::Query query_;
  ports::Reply<std::shared_ptr<Read>> reply_;  ///< none: it has begun
  std::shared_ptr<PageRequests<Page>> requests_ = std::make_shared<PageRequests<Page>>();
};

}  // namespace fluxora::store
