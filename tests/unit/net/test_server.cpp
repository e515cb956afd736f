#include "test_server.hpp"

#include <stdexcept>
#include <utility>

namespace fluxora::net::test {

TestServer::TestServer(Router router, const std::function<void(ServerOptions&)>& adjust) {
  ServerOptions options;
  options.port = 0;
  options.common_headers = {{"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", "no-referrer"}};
  options.error_response = [](unsigned status, std::string_view detail, const Request&) {
    Response response;
    response.status = status;
    response.content_type = "text/plain";
    response.body = std::to_string(status) + " " + std::string(detail);
    return response;
  };
  options.on_response = [this](const Request& request, const RequestEnd& end) {
    const std::lock_guard lock(mutex_);
    reports_.push_back(
        {request.method, request.request_id, std::string(end.route), end.status, end.aborted, end.endless});
  };
  options.on_trouble = [this](std::string_view message) {
    const std::lock_guard lock(mutex_);
    troubles_.emplace_back(message);
  };
  if (adjust) adjust(options);
  server_ = std::make_unique<Server>(std::move(options), std::make_shared<const Router>(std::move(router)));
  server_->start();
}

std::vector<TestServer::Report> TestServer::reports() const {
  const std::lock_guard lock(mutex_);
  return reports_;
}

std::vector<std::string> TestServer::troubles() const {
  const std::lock_guard lock(mutex_);
  return troubles_;
}

Handler answer(std::string body) {
  return [body = std::move(body)](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.content_type = "text/plain";
    response.body = body;
    respond(std::move(response));
  };
}

Router example_router() {
  Router router;
  router.add("GET", "/hello", answer("hello"));
  router.add("POST", "/echo", [](const std::shared_ptr<const Request>& request, const Respond& respond) {
    Response response;
    response.content_type = "text/plain";
    response.body = request->body;
    respond(std::move(response));
  });
  router.add("GET", "/items/{id}", [](const std::shared_ptr<const Request>& request, const Respond& respond) {
    std::string text = request->path_parameters.at(0);
    for (const auto& [name, value] : request->query) text += "|" + name + "=" + value;
    Response response;
    response.content_type = "text/plain";
    response.body = std::move(text);
    respond(std::move(response));
  });
  router.add("GET", "/boom",
             [](const std::shared_ptr<const Request>&, const Respond&) { throw std::runtime_error("boom"); });
  router.add("GET", "/silence", [](const std::shared_ptr<const Request>&, const Respond&) {});
  return router;
}

}  // namespace fluxora::net::test
