#include "stream_finder.hpp"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "fluxora/core/stream.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

/// Reads that one statement answers.
constexpr std::size_t most_reads = 256;

Statement find_statement(const std::string& name, const std::string& condition) {
  // Everything a read needs in one statement, hence one snapshot and one round trip.
  return {name, "SELECT " + std::string(read_point_columns) + ", " + stream_column_list("s.") +
                    " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN streams s ON " + condition};
}

/// PostgreSQL's text of an array. What is no stream's id is left out: others wait for the same statement, and an id has
/// no character that would have to be escaped.
std::string array_text(const std::vector<std::string>& ids) {
  std::string text = "{";
  for (const std::string& id : ids) {
    if (!core::is_stream_id(id)) continue;
    if (text.size() > 1) text += ',';
    text += id;
  }
  return text + "}";
}

}  // namespace

pqxx::result find_streams(ReadConnection& connection, const std::vector<std::string>& ids) {
  static const Statement find_one = find_statement("find_one", "s.id = $1");
  static const Statement find_several = find_statement("find_several", "s.id = ANY($1::text[])");
  if (ids.size() == 1 && core::is_stream_id(ids[0])) return connection.execute(find_one, ids);
  return connection.execute(find_several, {array_text(ids)});
}

/// One statement's requests.
class StreamFinder::Query final : public ReadTask {
 public:
  explicit Query(StreamFinder& finder) : finder_(finder) {}

  ReadFrom begin() override {
    requests_ = finder_.take();
    if (requests_.empty()) return ReadFrom::nothing;
    for (const Request& request : requests_) {
      if (request.min_seq != ports::newest) return ReadFrom::replica;
    }
    return ReadFrom::primary;
  }

  void read(ReadConnection& connection) override {
    const std::vector<std::string> ids = number_ids();
    const pqxx::result rows = find_streams(connection, ids);
    at_ = read_point_from_row(rows[0], 0);
    found_.assign(ids.size(), std::nullopt);
    for (const auto& row : rows) {
      auto stream = stream_from_row(row, read_point_width);
      if (stream) found_[number_of_.at(stream->id)] = std::move(*stream);
    }
  }

  /// Answers those for whom the replica knows enough; the primary is asked for the others.
  bool accept(const std::string& epoch) override {
    std::vector<Request> others;
    for (Request& request : requests_) {
      if (is_new_enough(at_, epoch, request.min_seq)) {
        answer(request);
      } else {
        others.push_back(std::move(request));
      }
    }
    requests_ = std::move(others);
    return requests_.empty();
  }

  void deliver() override {
    for (const Request& request : requests_) answer(request);
    finder_.end();
  }

  void fail(ports::StoreFailure failure) override {
    if (requests_.empty()) requests_ = finder_.take();  // it was refused before it began
    for (const Request& request : requests_) request.reply(tl::unexpected(failure));
    finder_.end();
  }

 private:
  /// The ids, each once.
  std::vector<std::string> number_ids() {
    number_of_.clear();
    std::vector<std::string> ids;
    for (const Request& request : requests_) {
      if (number_of_.emplace(request.id, ids.size()).second) ids.push_back(request.id);
    }
    return ids;
  }

  void answer(const Request& request) { request.reply(ports::StreamAnswer{found_[number_of_.at(request.id)], at_}); }

  StreamFinder& finder_;
  std::vector<Request> requests_;
  std::unordered_map<std::string, std::size_t> number_of_;
  std::vector<std::optional<core::Stream>> found_;
  ports::ReadPoint at_;
};

void StreamFinder::find(std::string id, std::uint64_t min_seq, ports::Reply<ports::StreamAnswer> reply) {
  bool start_query = false;
  {
    const std::lock_guard lock(mutex_);
    if (gathering_.waiting() < queue_limit_) {
      start_query = gathering_.add({std::move(id), min_seq, std::move(reply)});
      reply = nullptr;
    } else {
      ++refused_;
    }
  }
  if (reply) return reply(tl::unexpected(ports::StoreFailure::busy));
  if (start_query) start();
}

std::vector<StreamFinder::Request> StreamFinder::take() {
  std::vector<Request> taken;
  bool start_another = false;
  {
    const std::lock_guard lock(mutex_);
    taken = gathering_.take(most_reads);
    if (taken.size() > 1) gathered_ += taken.size() - 1;
    start_another = gathering_.is_due();
  }
  if (start_another) start();
  return taken;
}

void StreamFinder::end() {
  bool start_another = false;
  {
    const std::lock_guard lock(mutex_);
    start_another = gathering_.end();
  }
  if (start_another) start();
}

void StreamFinder::start() {
  pool_.enqueue(std::make_unique<Query>(*this));
}

void StreamFinder::add_to(StoreStatistics& statistics) const {
  const std::lock_guard lock(mutex_);
  statistics.waiting += gathering_.waiting();
  statistics.refused += refused_;
  statistics.gathered += gathered_;
}

}  // namespace fluxora::store
