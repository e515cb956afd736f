#include "problem.hpp"

#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/api/api.hpp"

namespace fluxora::api::test {
namespace {

TEST(Problem, IsRfc9457WithOurMembers) {
  const net::Response response = problem(404, "There is no such stream.", ApiBench::request("/api/streams/x?at=5"));
  EXPECT_EQ(response.status, 404u);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(body_text(response),
            R"({"type":"about:blank","title":"Not Found","status":404,"detail":"There is no such stream.",)"
            R"("instance":"/api/streams/x","error":"NOT_FOUND","requestId":"request-7"})");
}

TEST(Problem, ListsWhatIsWrongWithTheFields) {
  const net::Response response = validation_problem(
      ApiBench::request("/api/streams"),
      {{"limit", "VALIDATION_ERROR", "must be less."}, {"at", "DECIMAL_EMPTY_VALUE", "is \"empty\"."}});
  EXPECT_EQ(body_text(response), R"({"type":"about:blank","title":"Bad Request","status":400,)"
                                 R"("detail":"limit: must be less. at: is \"empty\".","instance":"/api/streams",)"
                                 R"("error":"VALIDATION_ERROR","requestId":"request-7","errors":[)"
                                 R"({"field":"limit","code":"VALIDATION_ERROR","message":"must be less."},)"
                                 R"({"field":"at","code":"DECIMAL_EMPTY_VALUE","message":"is \"empty\"."}]})");
}

TEST(Problem, TellsAHundredThingsAndHowManyMore) {
  std::vector<FieldProblem> errors(130'000, FieldProblem{"topics", "VALIDATION_ERROR", "is wrong."});
  const net::Response response = validation_problem(ApiBench::request("/"), errors);
  EXPECT_LT(body_text(response).size(), 16'384u);
  const Json body = expect_problem(response, 400, "VALIDATION_ERROR");
  EXPECT_EQ(body["errors"].size(), 100u);
  const std::string detail = body["detail"];
  EXPECT_EQ(detail.substr(detail.rfind(" And")), " And 129900 more.");
  errors.resize(100);
  EXPECT_EQ(body_text(validation_problem(ApiBench::request("/"), errors)).find("more"), std::string::npos);
}

TEST(Problem, SendsNoCredentialBack) {
  const std::string secret(43, 's');
  const std::string key = "flx_0123456789abcdef_" + secret;
  const std::string token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.signature";
  net::Request request = ApiBench::request("/api/streams/" + key + "/" + token);
  request.request_id = key;
  const std::string body =
      body_text(validation_problem(request, {{shown_name(token), "VALIDATION_ERROR", "isn't " + key + "."}}));
  EXPECT_EQ(body.find(secret), std::string::npos) << body;
  EXPECT_EQ(body.find("signature"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("instance":"/api/streams/flx_/eyJ")"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("requestId":"flx_")"), std::string::npos) << body;
}

TEST(Problem, CodesFollowFromTheStatus) {
  const struct {
    unsigned status;
    std::string title;
    std::string code;
  } rows[] = {
      {400, "Bad Request", "VALIDATION_ERROR"},
      {401, "Unauthorized", "UNAUTHORIZED"},
      {403, "Forbidden", "FORBIDDEN"},
      {404, "Not Found", "NOT_FOUND"},
      {405, "Method Not Allowed", "METHOD_NOT_ALLOWED"},
      {409, "Conflict", "CONFLICT"},
      {412, "Precondition Failed", "PRECONDITION_FAILED"},
      {413, "Content Too Large", "PAYLOAD_TOO_LARGE"},
      {415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE"},
      {422, "Unprocessable Content", "VALIDATION_ERROR"},
      {429, "Too Many Requests", "TOO_MANY_REQUESTS"},
      {431, "Request Header Fields Too Large", "PAYLOAD_TOO_LARGE"},
      {500, "Internal Server Error", "INTERNAL_ERROR"},
      {503, "Service Unavailable", "SERVICE_UNAVAILABLE"},
  };
  for (const auto& row : rows) {
    const Json body = expect_problem(problem(row.status, "…", ApiBench::request("/")), row.status, row.code);
    EXPECT_EQ(body["title"], row.title);
  }
}

TEST(Problem, NetsOwnErrorsHaveAKnownCode) {
  for (const unsigned status : {400u, 404u, 405u, 408u, 413u, 426u, 431u, 500u, 501u, 505u}) {
    const Json body = body_json(error_response(status, "…", ApiBench::request("/")));
    EXPECT_EQ(body["status"], status);
    EXPECT_EQ(body["title"] == "Internal Server Error", status == 500) << status;
  }
}

TEST(Problem, WhatTheClientSentIsEscaped) {
  net::Request request = ApiBench::request("/");
  request.path = "/a\"b\\c\x01\xff";
  const net::Response response = problem(400, "<script>\"", request);
  const Json body = body_json(response);
  EXPECT_EQ(body["instance"], "/a\"b\\c\x01\xef\xbf\xbd");
  EXPECT_EQ(body["detail"], "<script>\"");
}

TEST(Problem, AStoreWithoutAnAnswer) {
  const net::Request request = ApiBench::request("/");
  const net::Response busy = store_problem(ports::StoreFailure::busy, request);
  expect_problem(busy, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(busy, "Retry-After"), "1");
  const net::Response away = store_problem(ports::StoreFailure::unavailable, request);
  expect_problem(away, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(away, "Retry-After"), "2");
  const net::Response broken = store_problem(ports::StoreFailure::internal, request);
  expect_problem(broken, 500, "INTERNAL_ERROR");
  EXPECT_EQ(header(broken, "Retry-After"), "");
}

}  // namespace
}  // namespace fluxora::api::test
