#include "problem.hpp"

#include <algorithm>

#include "fluxora/api/api.hpp"
#include "fluxora/api/api_key_text.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/json_writer.hpp"

namespace fluxora::api {
namespace {

struct StatusText {
  unsigned status;
  std::string_view title;
  std::string_view code;
};

constexpr StatusText status_texts[] = {
    {400, "Bad Request", "VALIDATION_ERROR"},
    {401, "Unauthorized", "UNAUTHORIZED"},
    {403, "Forbidden", "FORBIDDEN"},
    {404, "Not Found", "NOT_FOUND"},
    {405, "Method Not Allowed", "METHOD_NOT_ALLOWED"},
    {408, "Request Timeout", "VALIDATION_ERROR"},
    {409, "Conflict", "CONFLICT"},
    {412, "Precondition Failed", "PRECONDITION_FAILED"},
    {413, "Content Too Large", "PAYLOAD_TOO_LARGE"},
    {415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE"},
    {422, "Unprocessable Content", "VALIDATION_ERROR"},
    {426, "Upgrade Required", "VALIDATION_ERROR"},
    {429, "Too Many Requests", "TOO_MANY_REQUESTS"},
    {431, "Request Header Fields Too Large", "PAYLOAD_TOO_LARGE"},
    {501, "Not Implemented", "VALIDATION_ERROR"},
    {503, "Service Unavailable", "SERVICE_UNAVAILABLE"},
    {505, "HTTP Version Not Supported", "VALIDATION_ERROR"},
};

const StatusText& text_of(unsigned status) {
  static constexpr StatusText internal = {500, "Internal Server Error", "INTERNAL_ERROR"};
  for (const StatusText& text : status_texts) {
    if (text.status == status) return text;
  }
  return internal;
}

}  // namespace

net::Response problem(unsigned status, std::string_view detail, const net::Request& request,
                      const std::vector<FieldProblem>& errors) {
  const StatusText& text = text_of(status);
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  json.key("type").string("about:blank");
  json.key("title").string(text.title);
  json.key("status").unsigned_integer(status);
  json.key("detail").string(detail);
  json.key("instance").string(request.path);
  json.key("error").string(text.code);
  json.key("requestId").string(request.request_id);
  if (!errors.empty()) {
    json.key("errors").begin_array();
    for (const FieldProblem& error : errors) {
      json.begin_object();
      json.key("field").string(error.field);
      json.key("code").string(error.code);
      json.key("message").string(error.message);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();

  net::Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  // Path, id and names are the request's own; in JSON a credential is written as it is.
  response.body = without_credentials(body);
  return response;
}

net::Response validation_problem(const net::Request& request, const std::vector<FieldProblem>& errors) {
  const std::size_t told = std::min(errors.size(), max_problems_told);
  const std::vector<FieldProblem> first(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(told));
  std::string detail;
  for (const FieldProblem& error : first) {
    if (!detail.empty()) detail += " ";
    detail += error.field + ": " + error.message;
  }
  if (told < errors.size()) detail += " And " + std::to_string(errors.size() - told) + " more.";
  return problem(400, detail, request, first);
}

FieldProblem before_known(std::string_view field, core::UnixSeconds known_from) {
  return {std::string(field), "VALIDATION_ERROR",
          "must not be before " + core::format_u64(known_from) + ", " + core::format_rfc3339(known_from) +
              ": what was before that was pruned."};
}

std::string shown_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  if (name.size() <= longest) return std::string(name);
  // Not within a character: its continuation bytes are 10xxxxxx.
  std::size_t end = longest;
  while ((static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return std::string(name.substr(0, end)) + "…";
}

std::string listed(const std::vector<std::string_view>& names) {
  if (names.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

net::Response store_problem(ports::StoreFailure failure, const net::Request& request) {
  if (failure == ports::StoreFailure::internal) return problem(500, "The request could not be served.", request);
  net::Response response =
      problem(503,
              failure == ports::StoreFailure::busy ? "The service is busy. Try again shortly."
                                                   : "The database can't serve this now. Try again shortly.",
              request);
  response.headers.emplace_back("Retry-After", failure == ports::StoreFailure::busy ? "1" : "2");
  return response;
}

net::Response error_response(unsigned status, std::string_view detail, const net::Request& request) {
  return problem(status, detail, request);
}

}  // namespace fluxora::api
