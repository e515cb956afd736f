#include "long_read.hpp"

#include "problem.hpp"

namespace fluxora::api {
namespace {

/// They last seconds or minutes, so that coming back at once is no use.
constexpr const char* busy_retry_after_s = "10";

}  // namespace

net::Response long_read_problem(ports::StoreFailure failure, const net::Request& request) {
  if (failure != ports::StoreFailure::busy) return store_problem(failure, request);
  net::Response response =
      problem(503, "No place for it is free, or the database is too slow just now. Try again later.", request);
  response.headers.emplace_back("Retry-After", busy_retry_after_s);
  return response;
}

}  // namespace fluxora::api
