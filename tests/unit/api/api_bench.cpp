#include "api_bench.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace fluxora::api::test {

void FakeStreams::find(std::string id, std::uint64_t min_seq, ports::Reply<ports::StreamAnswer> reply) {
  min_seqs.push_back(min_seq);
  found.push_back(std::move(id));
  reply(answer);
}
void FakeStreams::find_as_of(std::string id, core::UnixSeconds at, std::uint64_t min_seq,
                             ports::Reply<ports::StreamAnswer> reply) {
  min_seqs.push_back(min_seq);
  found.push_back(std::move(id));
  found_as_of.push_back(at);
  reply(answer);
}
void FakeStreams::find_all(std::vector<std::string> ids, std::uint64_t min_seq,
                           ports::Reply<ports::StreamsAnswer> reply) {
  min_seqs.push_back(min_seq);
  for (std::string& id : ids) found.push_back(std::move(id));
  reply(answers);
}
void FakeStreams::list(ports::StreamQuery query, ports::Reply<std::shared_ptr<const ports::StreamPage>> reply) {
  min_seqs.push_back(query.min_seq);
  listed.push_back(std::move(query));
  reply(page.map([](const ports::StreamPage& shared) { return std::make_shared<const ports::StreamPage>(shared); }));
}

void FakeWriter::create(ports::StreamCreation creation, ports::Reply<ports::WriteAnswer> reply) {
  created.push_back(std::move(creation));
  reply(answer);
}
void FakeWriter::change(ports::StreamChange change, ports::Reply<ports::WriteAnswer> reply) {
  changed.push_back(std::move(change));
  reply(answer);
}
void FakeWriter::find_creation(ports::IdempotencyKey key, ports::Reply<std::optional<ports::WriteAnswer>> reply) {
  looked_for.push_back(std::move(key));
  reply(earlier);
}

void FakeExports::begin(ports::StreamFilter filter, ports::Reply<std::shared_ptr<ports::StreamExport>> reply) {
  begun.push_back(std::move(filter));
  if (failure) return reply(tl::unexpected(*failure));
  ++open;
  reply(std::make_shared<Export>(*this));
}

void FakeExports::Export::next(ports::Reply<ports::ExportPage> reply) {
  if (exports_.pages.empty()) return reply(tl::unexpected(ports::StoreFailure::unavailable));
  ports::ExportPage page = std::move(exports_.pages.front());
  exports_.pages.pop_front();
  reply(std::move(page));
}

void FakeAccounts::totals(std::string account, core::UnixSeconds now, std::uint64_t,
                          ports::Reply<ports::AccountAnswer> reply) {
  asked.emplace_back(std::move(account), now);
  reply(answer);
}

void FakeAccounts::statement(ports::StatementQuery query, ports::Reply<std::shared_ptr<ports::Statement>> reply) {
  begun.push_back(std::move(query));
  if (failure) return reply(tl::unexpected(*failure));
  ++open;
  reply(std::make_shared<FakeStatement>(*this));
}

void FakeAccounts::FakeStatement::next(ports::Reply<ports::StatementPage> reply) {
  if (accounts_.pages.empty()) return reply(tl::unexpected(ports::StoreFailure::unavailable));
  ports::StatementPage page = std::move(accounts_.pages.front());
  accounts_.pages.pop_front();
  reply(std::move(page));
}

void FakeSchedules::schedule(std::string id, core::ScheduleRange range, std::uint64_t,
                             ports::Reply<ports::ScheduleAnswer> reply) {
  asked.emplace_back(std::move(id), range);
  reply(answer);
}

void FakeEvents::head(ports::Reply<ports::LogHead> reply) {
  reply(log_head);
}
void FakeEvents::read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
                      ports::Reply<ports::EventPage> reply) {
  reads.push_back({after_seq, limit, std::move(filter)});
  reply(page);
}

void QuietTail::wait(std::chrono::milliseconds) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return released_; });
}

void QuietTail::release() {
  const std::lock_guard lock(mutex_);
  released_ = true;
  changed_.notify_all();
}

ApiBench::ApiBench(bool with_indexer, const std::string& demo_root, bool feed_auth_required,
                   std::uint32_t writes_a_window)
    : access({false, jwt_secret, writes_a_window, {}, feed_auth_required}, keys, audit, clock, log),
      tail_(new QuietTail({"k3f9", 1, 1'042})),
      hub(std::unique_ptr<ports::LogTail>(tail_), events, clock, log),
      context{clock,
              log,
              random,
              streams,
              writer,
              exports,
              accounts,
              schedules,
              ledgers,
              events,
              readiness,
              hub,
              keys,
              audit,
              access,
              with_indexer ? &indexer : nullptr,
              "1.2.3",
              "https://api.example",
              demo_root,
              2,
              [this] { return shutting_down; },
              [this] { return websockets; }},
      router(build_router(context)) {
  context.metrics = [] { return std::string("a_metric 1\n"); };
}

ApiBench::~ApiBench() {
  clock.end();
  tail_->release();
}

void ApiBench::start_hub() {
  // Nothing happens in this log, so only the test's own thread posts.
  hub.start(1, [this](unsigned, std::function<void()> task) { io_tasks_.push_back(std::move(task)); });
}

void ApiBench::run_io() {
  while (!io_tasks_.empty()) {
    const std::function<void()> task = std::move(io_tasks_.front());
    io_tasks_.pop_front();
    task();
  }
}

net::Request ApiBench::request(const std::string& target, net::HeaderFields headers, const std::string& method) {
  net::Request request;
  request.method = method;
  request.target = target;
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  for (std::size_t from = question; from != std::string::npos;) {
    const std::size_t to = target.find('&', from + 1);
    const std::string pair = target.substr(from + 1, to == std::string::npos ? to : to - from - 1);
    const std::size_t equals = pair.find('=');
    request.query.emplace_back(pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
    from = to;
  }
  request.headers = std::move(headers);
  request.remote_address = "127.0.0.1";
  request.request_id = "request-7";
  return request;
}

net::Response ApiBench::ask(const std::string& target, net::HeaderFields headers, const std::string& method,
                            const std::string& body) {
  net::Request asked = request(target, std::move(headers), method);
  asked.body = body;
  const net::Router::Match match = router->match(method, asked.path);
  if (match.handler == nullptr) {
    ADD_FAILURE() << "no handler for " << method << " " << target;
    return {};
  }
  asked.path_parameters = match.path_parameters;
  int answers = 0;
  net::Response answer;
  (*match.handler)(std::make_shared<const net::Request>(std::move(asked)), [&](net::Response response) {
    ++answers;
    answer = std::move(response);
  });
  EXPECT_EQ(answers, 1) << target;
  return answer;
}

std::string body_text(const net::Response& response) {
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) return **shared;
  return std::get<std::string>(response.body);
}

Json body_json(const net::Response& response) {
  return Json::parse(body_text(response));
}

std::string header(const net::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (net::equal_ignoring_case(key, name)) return value;
  }
  return {};
}

Json expect_problem(const net::Response& response, unsigned status, const std::string& code) {
  EXPECT_EQ(response.status, status) << body_text(response);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const Json body = Json::parse(body_text(response), nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) {
    ADD_FAILURE() << "no problem: " << body_text(response);
    return Json::object();
  }
  EXPECT_EQ(body.value("status", 0u), status);
  EXPECT_EQ(body.value("error", ""), code);
  EXPECT_EQ(body.value("requestId", ""), "request-7");
  return body;
}

void expect_bad_fields(const net::Response& response, const std::vector<std::string>& fields) {
  const Json body = expect_problem(response, 400, "VALIDATION_ERROR");
  std::vector<std::string> named;
  for (const Json& error : body.value("errors", Json::array())) {
    named.push_back(error.at("field").get<std::string>());
    EXPECT_EQ(error.at("code"), "VALIDATION_ERROR");
    EXPECT_NE(error.at("message"), "");
  }
  EXPECT_EQ(named, fields) << body;
}

}  // namespace fluxora::api::test
