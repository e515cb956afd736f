#include "feed_answers.hpp"

#include "problem.hpp"

namespace fluxora::api {
namespace {

/// Until one of them may have ended.
constexpr const char* places_retry_after_s = "10";

}  // namespace

net::Response shutting_down_problem(const net::Request& request) {
  return problem(503, "The service is shutting down.", request);
}

net::Response too_many_feeds(const net::Request& request) {
  net::Response response = problem(429, "This address has all the connections it may have.", request);
  response.headers.emplace_back("Retry-After", places_retry_after_s);
  return response;
}

}  // namespace fluxora::api
