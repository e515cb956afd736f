#include <string>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "list_cursor.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

constexpr std::size_t default_limit = 20;
constexpr std::size_t max_limit = 100;

std::optional<ports::StatusFilter> status_filter(QueryParameters& query) {
  const auto text = query.text("status");
  if (!text) return std::nullopt;
  if (*text == "scheduled") return ports::StatusFilter::scheduled;
  if (*text == "active") return ports::StatusFilter::active;
  if (*text == "paused") return ports::StatusFilter::paused;
  if (*text == "completed") return ports::StatusFilter::completed;
  if (*text == "cancelled") return ports::StatusFilter::cancelled;
  query.add_problem("status", "must be scheduled, active, paused, completed or cancelled.");
  return std::nullopt;
}

/// The filters as text: a cursor goes with exactly these.
std::string filters_text(const ports::StreamQuery& query) {
  std::string text = query.status ? std::to_string(static_cast<int>(*query.status)) : std::string("-");
  text += "/" + query.sender.value_or("-");
  text += "/" + query.recipient.value_or("-");
  return text;
}

std::string page_text(const ports::StreamPage& page, const std::string& filters, const ports::Clock& clock) {
  std::string body;
  body.reserve(page.streams.size() * 1'024 + 128);
  core::JsonWriter json(body);
  json.begin_object();
  json.key("streams").begin_array();
  for (const core::Stream& stream : page.streams) write_stream_json(json, stream, as_of(stream, page.at, clock));
  json.end_array();
  json.key("has_more").boolean(page.has_more);
  json.key("next_cursor");
  if (page.has_more) {
    const core::Stream& last = page.streams.back();
    json.string(encode_list_cursor({last.created_seq, last.id}, filters));
  } else {
    json.null();
  }
  if (page.total) json.key("total").unsigned_integer(*page.total);
  json.end_object();
  return body;
}

void list_streams(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  ports::StreamQuery query;
  query.status = status_filter(parameters);
  query.sender = parameters.address("sender");
  query.recipient = parameters.address("recipient");
  query.limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  query.include_total = parameters.boolean("include_total").value_or(false);
  query.now = static_cast<core::UnixSeconds>(context.clock.now() / 1000);
  const std::string filters = filters_text(query);
  if (const auto cursor = parameters.text("cursor")) {
    query.after = decode_list_cursor(*cursor, filters);
    if (!query.after) parameters.add_problem("cursor", "is not one that this service gave for these filters.");
  }
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  context.streams.list(std::move(query), [&context, request, filters,
                                          respond = std::move(respond)](ports::StoreResult<ports::StreamPage> page) {
    if (!page) return respond(store_problem(page.error(), *request));
    net::Response response;
    response.body = page_text(*page, filters, context.clock);
    add_cursor_header(response, page->at.epoch, page->at.head_seq);
    respond(std::move(response));
  });
}

/// RFC 9110 section 5.6.3.
bool is_white_space(char c) {
  return c == ' ' || c == '\t';
}

/// RFC 9110 section 13.1.2, by weak comparison: `*`, or a list of entity tags of which one is ours.
bool names_etag(std::string_view if_none_match, std::string_view etag) {
  if (if_none_match == "*") return true;
  while (!if_none_match.empty()) {
    const std::size_t comma = if_none_match.find(',');
    std::string_view tag = if_none_match.substr(0, comma);
    while (!tag.empty() && is_white_space(tag.front())) tag.remove_prefix(1);
    while (!tag.empty() && is_white_space(tag.back())) tag.remove_suffix(1);
    if (tag.substr(0, 2) == "W/") tag.remove_prefix(2);
    if (tag == etag) return true;
    if_none_match.remove_prefix(comma == std::string_view::npos ? if_none_match.size() : comma + 1);
  }
  return false;
}

net::Response stream_response(const core::Stream& stream, const ports::ReadPoint& point, core::UnixSeconds at,
                              const net::Request& request) {
  const std::string etag = "\"" + point.epoch + "-" + std::to_string(stream.version) + "-" + std::to_string(at) + "\"";
  net::Response response;
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  add_cursor_header(response, point.epoch, point.head_seq);
  if (const auto known = request.header("If-None-Match"); known && names_etag(*known, etag)) {
    response.status = 304;
    return response;
  }
  std::string body;
  body.reserve(1'024);
  core::JsonWriter json(body);
  write_stream_json(json, stream, at);
  response.body = std::move(body);
  return response;
}

void read_stream(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  const auto at = parameters.number("at", 0, core::last_rfc3339_second);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  const std::string& id = request->path_parameters[0];
  if (!core::is_stream_id(id)) return respond(problem(404, "There is no such stream.", *request));

  auto answer = [&context, request, at, respond = std::move(respond)](ports::StoreResult<ports::StreamAnswer> found) {
    if (!found) return respond(store_problem(found.error(), *request));
    if (!found->stream) {
      return respond(problem(404, at ? "There was no such stream then." : "There is no such stream.", *request));
    }
    const core::UnixSeconds moment = at ? *at : as_of(*found->stream, found->at, context.clock);
    respond(stream_response(*found->stream, found->at, moment, *request));
  };
  at ? context.streams.find_as_of(id, *at, std::move(answer)) : context.streams.find(id, std::move(answer));
}

}  // namespace

void add_stream_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/streams", [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
    list_streams(context, request, std::move(respond));
  });
  router.add("GET", "/api/streams/{id}", [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
    read_stream(context, request, std::move(respond));
  });
}

}  // namespace fluxora::api
