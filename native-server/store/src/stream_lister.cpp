#include "stream_lister.hpp"

#include <limits>
#include <utility>

#include "rows.hpp"
#include "stream_queries.hpp"

namespace fluxora::store {
namespace {

/// What is asked, as text: equal for queries that one page answers.
std::string key_of(const ports::StreamQuery& query) {
  std::string key = std::to_string(query.limit) + (query.include_total ? " t" : " -");
  key += query.status ? " " + std::to_string(static_cast<int>(*query.status)) + " " + std::to_string(query.now) : " -";
  for (const auto* address : {&query.sender, &query.recipient}) key += " " + address->value_or("-");
  if (query.after) key += " " + std::to_string(query.after->created_seq) + " " + query.after->id;
  return key;
}

/// The statement's text depends on which filters there are, and on the status; everything else is a parameter.
std::string name_of(const ports::StreamQuery& query) {
  std::string name = "list";
  if (query.status) name += "_status" + std::to_string(static_cast<int>(*query.status));
  if (query.sender) name += "_sender";
  if (query.recipient) name += "_recipient";
  if (query.after) name += "_after";
  if (query.include_total) name += "_total";
  return name;
}

pqxx::result select_page(const ports::StreamQuery& query, ReadConnection& connection) {
  std::vector<std::string> parameters;
  const auto parameter = [&parameters](const std::string& value, std::string_view type) {
    parameters.push_back(value);
    return "$" + std::to_string(parameters.size()) + "::" + std::string(type);
  };
  const std::string filter = stream_conditions(query, parameter);
  std::string page = filter;
  if (query.after) {
    page += " AND (s.created_seq, s.id) < (" + parameter(std::to_string(query.after->created_seq), "bigint") + ", " +
            parameter(query.after->id, "text") + ")";
  }
  const std::string total =
      query.include_total ? "(SELECT count(*) FROM streams s WHERE " + filter + ")" : std::string("NULL");
  // One row more than asked tells whether there are more.
  const std::string limit = parameter(std::to_string(query.limit + 1), "bigint");
  const Statement statement = {name_of(query), "SELECT " + std::string(read_point_columns) + ", " + total + ", " +
                                                   stream_column_list("s.") +
                                                   " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN LATERAL"
                                                   " (SELECT * FROM streams s WHERE " +
                                                   page + " ORDER BY s.created_seq DESC, s.id DESC LIMIT " + limit +
                                                   ") s ON true ORDER BY s.created_seq DESC, s.id DESC"};
  return connection.execute(statement, parameters);
}

ports::StreamPage read_page(const ports::StreamQuery& query, ReadConnection& connection) {
  const pqxx::result rows = select_page(query, connection);
  ports::StreamPage answer;
  answer.at = read_point_from_row(rows[0], 0);
  const pqxx::field total_field = rows[0][read_point_width];
  if (!total_field.is_null()) answer.total = total_field.as<std::uint64_t>();
  answer.streams.reserve(rows.size());
  for (const auto& row : rows) {
    auto stream = stream_from_row(row, read_point_width + 1);
    if (!stream) break;  // the outer join's one row without a stream: no matches
    if (answer.streams.size() == query.limit) {
      answer.has_more = true;
      break;
    }
    answer.streams.push_back(std::move(*stream));
  }
  return answer;
}

}  // namespace

/// One reading of a list, for all who wait for it.
class StreamLister::Query final : public ReadTask {
 public:
  Query(StreamLister& lister, ports::StreamQuery query, std::string key)
      : lister_(lister), query_(std::move(query)), key_(std::move(key)) {}

  ReadFrom begin() override {
    requests_ = lister_.take(key_);
    if (requests_.empty()) return ReadFrom::nothing;
    for (const Request& request : requests_) {
      if (request.min_seq != ports::newest) return ReadFrom::replica;
    }
    return ReadFrom::primary;
  }

  void read(ReadConnection& connection) override {
    page_ = std::make_shared<const ports::StreamPage>(read_page(query_, connection));
  }

  /// Answers those for whom the replica knows enough; the primary is asked for the others.
  bool accept(const std::string& epoch) override {
    std::vector<Request> others;
    for (Request& request : requests_) {
      if (is_new_enough(page_->at, epoch, request.min_seq)) {
        request.reply(page_);
      } else {
        others.push_back(std::move(request));
      }
    }
    requests_ = std::move(others);
    return requests_.empty();
  }

  void deliver() override {
    for (const Request& request : requests_) request.reply(page_);
    lister_.end(query_, key_);
  }

  [[nodiscard]] bool counts() const noexcept { return query_.include_total; }

  void fail(ports::StoreFailure failure) override {
    if (requests_.empty()) requests_ = lister_.take(key_);  // it was refused before it began
    for (const Request& request : requests_) request.reply(tl::unexpected(failure));
    lister_.end(query_, key_);
  }

 private:
  StreamLister& lister_;
  ports::StreamQuery query_;
  std::string key_;
  std::vector<Request> requests_;
  Page page_;
};

StreamLister::StreamLister(ReadPool& pool, std::size_t queue_limit) : pool_(pool), queue_limit_(queue_limit) {}
StreamLister::~StreamLister() = default;

void StreamLister::list(ports::StreamQuery query, ports::Reply<Page> reply) {
  std::string key = key_of(query);
  bool start_query = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ < queue_limit_) {
      ++waiting_;
      start_query = gatherings_[key].add({query.min_seq, std::move(reply)});
      reply = nullptr;
    } else {
      ++refused_;
    }
  }
  if (reply) return reply(tl::unexpected(ports::StoreFailure::busy));
  if (start_query) start(std::make_unique<Query>(*this, std::move(query), std::move(key)));
}

void StreamLister::start(std::unique_ptr<Query> query) {
  if (query->counts()) query = wait_its_turn(std::move(query));
  if (query) pool_.enqueue(std::move(query));
}

std::unique_ptr<StreamLister::Query> StreamLister::wait_its_turn(std::unique_ptr<Query> query) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(total_runs_, true)) return query;
  totals_.push_back(std::move(query));
  return nullptr;
}

std::vector<StreamLister::Request> StreamLister::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  std::vector<Request> taken = gatherings_.at(key).take(std::numeric_limits<std::size_t>::max());
  waiting_ -= taken.size();
  if (taken.size() > 1) shared_ += taken.size() - 1;
  return taken;
}

void StreamLister::end(const ports::StreamQuery& query, const std::string& key) {
  bool start_another = false;
  std::unique_ptr<Query> next_total;
  {
    const std::lock_guard lock(mutex_);
    const auto gathering = gatherings_.find(key);
    start_another = gathering->second.end();
    if (gathering->second.is_idle()) gatherings_.erase(gathering);
    if (query.include_total && totals_.empty()) total_runs_ = false;
    if (query.include_total && !totals_.empty()) {
      next_total = std::move(totals_.front());
      totals_.pop_front();
    }
  }
  if (next_total) pool_.enqueue(std::move(next_total));
  if (start_another) start(std::make_unique<Query>(*this, query, key));
}

void StreamLister::add_to(StoreStatistics& statistics) const {
  const std::lock_guard lock(mutex_);
  statistics.waiting += waiting_;
  statistics.refused += refused_;
  statistics.gathered += shared_;
}

}  // namespace fluxora::store
