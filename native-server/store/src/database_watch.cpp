#include "database_watch.hpp"

#include <utility>

namespace fluxora::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_pause{500};
/// A look that takes longer than this since the last good one hangs: /health says so within 2 s.
constexpr milliseconds longest_silence{1'900};
constexpr int look_timeout_ms = 1'000;

StoreOptions with_url(StoreOptions options, std::string url) {
  options.database_url = std::move(url);
  return options;
}

}  // namespace

DatabaseWatch::DatabaseWatch(StoreOptions options, std::string url, std::string_view name, ports::Log& log,
                             NoteSight note)
    : connection_(with_url(std::move(options), std::move(url)), "watch", look_timeout_ms),
      name_(name),
      log_(log),
      note_(std::move(note)) {
  thread_ = std::thread([this] { run(); });
}

DatabaseWatch::~DatabaseWatch() {
  stop();
}

void DatabaseWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool DatabaseWatch::is_well() const {
  const std::lock_guard lock(mutex_);
  return !failed_ && Clock::now() - seen_well_ <= longest_silence;
}

DatabaseWatch::Sight DatabaseWatch::last_sight() const {
  const std::lock_guard lock(mutex_);
  return sight_;
}

void DatabaseWatch::report_trouble(milliseconds pause) {
  const std::lock_guard lock(mutex_);
  failed_ = true;
  not_before_ = Clock::now() + pause;
}

void DatabaseWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (Clock::now() >= not_before_) {
      lock.unlock();
      look();
      lock.lock();
    }
    wake_.wait_for(lock, look_pause, [this] { return stopping_; });
  }
}

void DatabaseWatch::look() {
  try {
    Sight sight = connection_.use([](pqxx::connection& connection) {
      pqxx::nontransaction sql(connection);
      const pqxx::row row = sql.exec("SELECT epoch, pg_is_in_recovery(), seq FROM log_head")[0];
      return Sight{row[0].c_str(), row[1].as<bool>(), row[2].as<std::uint64_t>()};
    });
    if (note_) note_(sight);
    note_success(std::move(sight));
  } catch (const std::exception& error) {
    connection_.close();
    note_failure(error.what());
  }
}

void DatabaseWatch::note_success(Sight sight) {
  {
    const std::lock_guard lock(mutex_);
    if (Clock::now() < not_before_) return;  // it was reported while we looked
    failed_ = false;
    seen_well_ = Clock::now();
    sight_ = std::move(sight);
    if (!std::exchange(told_, false)) return;
  }
  log_.info(name_ + "_recovered", "");
}

void DatabaseWatch::note_failure(std::string_view why) {
  {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    if (std::exchange(told_, true)) return;
  }
  log_.warn(name_ + "_unavailable", why);
}

}  // namespace fluxora::store
