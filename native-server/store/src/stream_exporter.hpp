#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "fluxora/ports/log.hpp"
#include "fluxora/ports/stream_export.hpp"
#include "fluxora/store/store.hpp"

namespace fluxora::store {

/// `max_exports` threads, each for one export at a time: a connection, a repeatable-read transaction and a cursor in
/// it, from the export's beginning to its end. Between two pages the thread waits for its reader.
class PostgresStreamExporter final : public ports::StreamExporter {
 public:
  PostgresStreamExporter(StoreOptions options, ports::Log& log);
  ~PostgresStreamExporter() override;
  PostgresStreamExporter(const PostgresStreamExporter&) = delete;
  PostgresStreamExporter& operator=(const PostgresStreamExporter&) = delete;

  void begin(ports::StreamFilter filter, ports::Reply<std::shared_ptr<ports::StreamExport>> reply) override;
  /// Ends what runs and joins. Nothing is replied after it.
  void stop();

 private:
  class PageRequests;
  class Export;
  struct Job {
    ports::StreamFilter filter;
    ports::Reply<std::shared_ptr<ports::StreamExport>> reply;
    std::shared_ptr<PageRequests> requests;
  };

  void run_worker();
  void perform(Job& job);
  void serve(Job& job, bool& begun);

  StoreOptions options_;
  ports::Log& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<Job> waiting_;
  std::vector<std::shared_ptr<PageRequests>> running_;  ///< of the jobs taken, so that stop() can end them
  std::vector<std::thread> threads_;
};

}  // namespace fluxora::store
