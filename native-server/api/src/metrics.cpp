#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"

namespace fluxora::api {

void add_metrics_route(net::Router& router, const ApiContext& context) {
  router.add("GET", "/metrics", [&context](std::shared_ptr<const net::Request> request, const net::Respond& respond) {
    const auto problems = QueryParameters(*request).problems();
    if (!problems.empty()) return respond(validation_problem(*request, problems));
    net::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = context.metrics();
    respond(std::move(response));
  });
}

}  // namespace fluxora::api
