#include "stream_exporter.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "connection.hpp"
#include "rows.hpp"
#include "stream_queries.hpp"

namespace fluxora::store {
namespace {

/// Streams a page, and with it what an export holds in memory.
constexpr std::size_t export_page_streams = 100;

using Deadline = std::chrono::steady_clock::time_point;

/// One snapshot of the streams, behind a cursor.
class Snapshot {
 public:
  Snapshot(pqxx::connection& connection, const ports::StreamFilter& filter, int timeout_ms) : sql_(connection) {
    sql_.exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    // Where this process or its host stands still, the database gives the snapshot up by itself.
    sql_.exec("SET LOCAL idle_in_transaction_session_timeout = " + std::to_string(timeout_ms));
    at_ = read_point_from_row(
        sql_.exec("SELECT " + std::string(read_point_columns) + " FROM log_head h CROSS JOIN indexer_checkpoint c")[0],
        0);
    // LIMIT tells the planner that the checkpoint is one row, so that the order comes from the index.
    sql_.exec("DECLARE exported NO SCROLL CURSOR FOR SELECT " + stream_column_list("s.") +
              " FROM streams s CROSS JOIN (SELECT closed_at FROM indexer_checkpoint LIMIT 1) c WHERE " +
              stream_conditions(filter, sql_) + " ORDER BY s.created_seq DESC, s.id DESC");
  }

  [[nodiscard]] const ports::ReadPoint& at() const noexcept { return at_; }

  ports::ExportPage next_page() {
    const pqxx::result rows = sql_.exec("FETCH FORWARD " + std::to_string(export_page_streams) + " FROM exported");
    ports::ExportPage page;
    page.streams.reserve(rows.size());
    for (const auto& row : rows) page.streams.push_back(*stream_from_row(row, 0));
    page.last = page.streams.size() < export_page_streams;
    return page;
  }

 private:
  pqxx::work sql_;
  ports::ReadPoint at_;
};

}  // namespace

/// What an export's reader and its thread share.
class PostgresStreamExporter::PageRequests {
 public:
  using PageReply = ports::Reply<ports::ExportPage>;

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

/// The reader's end of it.
class PostgresStreamExporter::Export final : public ports::StreamExport {
 public:
  Export(std::shared_ptr<PageRequests> requests, ports::ReadPoint at)
      : requests_(std::move(requests)), at_(std::move(at)) {}
  ~Export() override { requests_->end(ports::StoreFailure::unavailable); }
  Export(const Export&) = delete;
  Export& operator=(const Export&) = delete;

  [[nodiscard]] const ports::ReadPoint& at() const override { return at_; }
  void next(ports::Reply<ports::ExportPage> reply) override { requests_->ask(std::move(reply)); }

 private:
  std::shared_ptr<PageRequests> requests_;
  ports::ReadPoint at_;
};

PostgresStreamExporter::PostgresStreamExporter(StoreOptions options, ports::Log& log)
    : options_(std::move(options)), log_(log) {
  threads_.reserve(options_.max_exports);
  for (unsigned i = 0; i < options_.max_exports; ++i) threads_.emplace_back([this] { run_worker(); });
}

PostgresStreamExporter::~PostgresStreamExporter() {
  stop();
}

void PostgresStreamExporter::begin(ports::StreamFilter filter,
                                   ports::Reply<std::shared_ptr<ports::StreamExport>> reply) {
  auto refusal = ports::StoreFailure::busy;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() + running_.size() < options_.max_exports) {
      waiting_.push_back({std::move(filter), std::move(reply), std::make_shared<PageRequests>()});
      wake_.notify_one();
      return;
    }
    if (stopping_) refusal = ports::StoreFailure::unavailable;
  }
  reply(tl::unexpected(refusal));
}

void PostgresStreamExporter::stop() {
  std::deque<Job> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting.swap(waiting_);
    for (const auto& requests : running_) requests->end(ports::StoreFailure::unavailable);
  }
  wake_.notify_all();
  for (const Job& job : waiting) job.reply(tl::unexpected(ports::StoreFailure::unavailable));
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void PostgresStreamExporter::run_worker() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    running_.push_back(job.requests);
    lock.unlock();
    perform(job);
    lock.lock();
    running_.erase(std::find(running_.begin(), running_.end(), job.requests));
  }
}

void PostgresStreamExporter::perform(Job& job) {
  bool begun = false;
  auto why = ports::StoreFailure::busy;  // it took too long, or nobody asks any more
  try {
    serve(job, begun);
  } catch (const std::exception& error) {
    why = report_failure(error, log_);
  }
  if (!begun) job.reply(tl::unexpected(why));
  job.requests->end(why);
}

void PostgresStreamExporter::serve(Job& job, bool& begun) {
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.export_timeout_ms);
  const auto connection = connect(options_, "export", options_.read_timeout_ms);
  Snapshot snapshot(*connection, job.filter, options_.export_timeout_ms);
  begun = true;
  // The reply may drop the export at once; this thread holds what it needs.
  job.reply(std::make_shared<Export>(job.requests, snapshot.at()));
  while (const auto reply = job.requests->wait(deadline)) {
    ports::StoreResult<ports::ExportPage> page = tl::unexpected(ports::StoreFailure::internal);
    try {
      page = snapshot.next_page();
    } catch (const std::exception& error) {
      page = tl::unexpected(report_failure(error, log_));
    }
    const bool over = !page || page->last;
    reply(std::move(page));
    if (over) return;
  }
  if (std::chrono::steady_clock::now() >= deadline) {
    log_.warn("export_too_slow", "an export was ended because it took longer than it may");
  }
}

}  // namespace fluxora::store
