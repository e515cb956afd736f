#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gathering.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// Reads that are often asked for alike: equal ones that arrive while that read runs share the next reading of it, and
/// its answer. The pool is stopped before this goes.
template <class Answer>
class SharedReads {
 public:
  using Shared = std::shared_ptr<const Answer>;
  using Read = std::function<Answer(ReadConnection&)>;
  using Start = std::function<void(std::unique_ptr<ReadTask>)>;

  /// `start` begins a read, now or later. Beyond `limit` who wait: StoreFailure::busy.
  SharedReads(std::size_t limit, Start start) : limit_(limit), start_(std::move(start)) {}

  /// `key`: equal for what one answer does for. Of several `read`s that wait under a key the last one is run.
  void ask(std::string key, std::uint64_t min_seq, ports::Reply<Shared> reply, Read read) {
    bool start_query = false;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_ < limit_) {
        ++waiting_;
        Entry& entry = entries_[key];
        entry.read = std::move(read);
        start_query = entry.requests.add({min_seq, std::move(reply)});
        reply = nullptr;
      } else {
        ++refused_;
      }
    }
    if (reply) return reply(tl::unexpected(ports::StoreFailure::busy));
    if (start_query) start_(std::make_unique<Query>(*this, std::move(key)));
  }

  void add_to(StoreStatistics& statistics) const {
    const std::lock_guard lock(mutex_);
    statistics.waiting += waiting_;
    statistics.refused += refused_;
    statistics.gathered += shared_;
  }

 private:
  struct Request {
    std::uint64_t min_seq;
    ports::Reply<Shared> reply;
  };
  struct Entry {
    Gathering<Request> requests;
    Read read;
  };

  /// One reading, for all who wait for it.
  class Query final : public ReadTask {
   public:
    Query(SharedReads& reads, std::string key) : reads_(reads), key_(std::move(key)) {}

    ReadFrom begin() override {
      requests_ = reads_.take(key_, read_);
      if (requests_.empty()) return ReadFrom::nothing;
      for (const Request& request : requests_) {
        if (request.min_seq != ports::newest) return ReadFrom::replica;
      }
      return ReadFrom::primary;
    }

    void read(ReadConnection& connection) override { answer_ = std::make_shared<const Answer>(read_(connection)); }

    /// Answers those for whom the replica knows enough; the primary is asked for the others.
    bool accept(const std::string& epoch) override {
      std::vector<Request> others;
      for (Request& request : requests_) {
        if (is_new_enough(answer_->at, epoch, request.min_seq)) {
          request.reply(answer_);
        } else {
          others.push_back(std::move(request));
        }
      }
      requests_ = std::move(others);
      return requests_.empty();
    }

    void deliver() override {
      for (const Request& request : requests_) request.reply(answer_);
      reads_.end(key_);
    }

    void fail(ports::StoreFailure failure) override {
      if (requests_.empty()) requests_ = reads_.take(key_, read_);  // it was refused before it began
      for (const Request& request : requests_) request.reply(tl::unexpected(failure));
      reads_.end(key_);
    }

   private:
    SharedReads& reads_;
    std::string key_;
    Read read_;
    std::vector<Request> requests_;
    Shared answer_;
  };

  std::vector<Request> take(const std::string& key, Read& read) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(key);
    read = entry.read;
    std::vector<Request> taken = entry.requests.take(std::numeric_limits<std::size_t>::max());
    waiting_ -= taken.size();
    if (taken.size() > 1) shared_ += taken.size() - 1;
    return taken;
  }

  void end(const std::string& key) {
    bool start_another = false;
    {
      const std::lock_guard lock(mutex_);
      const auto entry = entries_.find(key);
      start_another = entry->second.requests.end();
      if (entry->second.requests.is_idle()) entries_.erase(entry);
    }
    if (start_another) start_(std::make_unique<Query>(*this, key));
  }

  const std::size_t limit_;
  const Start start_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  ///< of what is being read, or is to be
  std::size_t waiting_ = 0;               ///< in all of them
  std::uint64_t refused_ = 0;
  std::uint64_t shared_ = 0;
};

}  // namespace fluxora::store
