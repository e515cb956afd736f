#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "address_limit.hpp"
#include "feed_answers.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/stream.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "sse_feed.hpp"

namespace fluxora::api {
namespace {

constexpr std::string_view last_event_id = "Last-Event-ID";

/// What an EventSource says when it reconnects; empty counts as not given, as it does there.
std::optional<core::Cursor> read_last_event_id(const net::Request& request, QueryParameters& parameters) {
  const auto text = request.header(last_event_id);
  if (!text || text->empty()) return std::nullopt;
  auto cursor = core::parse_cursor(*text);
  if (cursor) return std::move(*cursor);
  parameters.add_problem(last_event_id, "must be the id of an event that this service gave.");
  return std::nullopt;
}

hub::Topic read_topic(QueryParameters& parameters) {
  hub::Topic topic;
  std::vector<std::string_view> given;
  const auto take = [&](std::string_view name, hub::Topic::Kind kind, std::optional<std::string> value) {
    if (!value) return;
    given.push_back(name);
    topic.kind = kind;
    topic.value = std::move(*value);
  };
  take("streamId", hub::Topic::Kind::stream, parameters.stream_id("streamId"));
  take("recipient", hub::Topic::Kind::recipient, parameters.address("recipient"));
  take("sender", hub::Topic::Kind::sender, parameters.address("sender"));
  if (given.size() > 1) {
    for (const std::string_view name : given) parameters.add_problem(name, "is one filter too many: give one of them.");
  }
  topic.event = parameters.event_name("event");
  return topic;
}

void open_stream(const ApiContext& context, AddressLimit& places, const net::Request& request,
                 const net::Respond& respond) {
  if (context.shutting_down()) return respond(shutting_down_problem(request));
  FeedAdmission admission = context.access.admit_feed(request);
  if (admission.refusal) return respond(std::move(*admission.refusal));

  QueryParameters parameters(request);
  SseRequest wanted;
  wanted.topic = read_topic(parameters);
  const auto after = parameters.cursor("after");
  const auto last_seen = read_last_event_id(request, parameters);
  static_cast<void>(parameters.text("token"));  // admit_feed() knows what to make of it
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(request, problems));
  }
  auto place = places.take(request.remote_address);
  if (!place) return respond(too_many_feeds(request));

  // An EventSource that reconnects asks its first URL again, with the `after` that it began with.
  wanted.after = last_seen ? last_seen : after;
  wanted.pass = admission.pass;
  wanted.request_id = request.request_id;
  wanted.remote_address = request.remote_address;
  wanted.io_thread = request.io_thread;

  net::Response response;
  response.content_type = "text/event-stream; charset=utf-8";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx
  response.body = std::make_shared<SseFeed>(context, std::move(wanted), std::move(place));
  respond(std::move(response));
}

}  // namespace

void add_event_stream(net::Router& router, const ApiContext& context, std::shared_ptr<AddressLimit> places) {
  router.add("GET", "/api/events/stream",
             [&context, places = std::move(places)](const std::shared_ptr<const net::Request>& request,
                                                    const net::Respond& respond) {
               open_stream(context, *places, *request, respond);
             });
}

}  // namespace fluxora::api
