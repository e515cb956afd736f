#include "fake_rpc.hpp"

#include <chrono>
#include <utility>

namespace fluxora::chain::test {

net::Response response(std::string body, unsigned status) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

FakeRpc::FakeRpc() {
  auto router = std::make_shared<net::Router>();
  router->add("POST", "/rpc", [this](const std::shared_ptr<const net::Request>& request, net::Respond respond) {
    serve(*request, std::move(respond));
  });
  net::ServerOptions options;
  options.port = 0;
  options.io_threads = 1;
  options.error_response = [](unsigned status, std::string_view, const net::Request&) { return response("", status); };
  options.on_response = [](const net::Request&, const net::RequestEnd&) {};
  options.on_trouble = [](std::string_view) {};
  server_ = std::make_unique<net::Server>(std::move(options), std::move(router));
  server_->start();
}

FakeRpc::~FakeRpc() {
  server_->stop(std::chrono::milliseconds(0));
}

std::string FakeRpc::url() const {
  return "http://127.0.0.1:" + std::to_string(server_->port()) + "/rpc";
}

void FakeRpc::answer(Json result) {
  answer_with([result = std::move(result)](const Json& request) {
    return response(Json{{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", result}}.dump());
  });
}

void FakeRpc::answer_error(int code, const std::string& message) {
  answer_with([code, message](const Json& request) {
    const Json error = {{"code", code}, {"message", message}};
    return response(Json{{"jsonrpc", "2.0"}, {"id", request["id"]}, {"error", error}}.dump());
  });
}

void FakeRpc::answer_with(std::function<net::Response(const Json& request)> make) {
  const std::lock_guard lock(mutex_);
  answers_.emplace_back(
      [make = std::move(make)](const Json& request, const net::Respond& respond) { respond(make(request)); });
}

void FakeRpc::leave_unanswered(std::function<void()> on_request) {
  const std::lock_guard lock(mutex_);
  answers_.emplace_back([this, on_request = std::move(on_request)](const Json&, net::Respond respond) {
    {
      const std::lock_guard inner(mutex_);
      unanswered_.push_back(std::move(respond));
    }
    on_request();
  });
}

std::vector<Json> FakeRpc::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

Json FakeRpc::params(std::size_t index) const {
  return requests().at(index).at("params");
}

void FakeRpc::serve(const net::Request& request, net::Respond respond) {
  std::function<void(const Json&, net::Respond)> answer;
  const Json asked = Json::parse(request.body);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(asked);
    if (answers_.empty()) return respond(response("nothing was to be asked", 500));
    answer = std::move(answers_.front());
    answers_.pop_front();
  }
  answer(asked, std::move(respond));
}

}  // namespace fluxora::chain::test
