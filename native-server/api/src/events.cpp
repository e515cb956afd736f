#include <algorithm>
#include <string>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/stream.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

constexpr std::size_t default_limit = 100;
constexpr std::size_t max_limit = 1'000;

struct EventsQuery {
  std::optional<core::Cursor> after;
  std::size_t limit = default_limit;
  ports::EventFilter filter;
};

EventsQuery read_window(QueryParameters& parameters) {
  EventsQuery query;
  query.after = parameters.cursor("after");
  query.limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  return query;
}

void read_filter(QueryParameters& parameters, ports::EventFilter& filter) {
  filter.stream_id = parameters.stream_id("streamId");
  filter.event = parameters.event_name("event");
}

/// What the log that answers has to reach: a position that the caller has seen is there, wherever it has seen it.
std::uint64_t min_seq_of(const net::Request& request, const EventsQuery& query) {
  return std::max(min_version(request), query.after ? query.after->seq : 0);
}

void write_resume(core::JsonWriter& json, const core::ResumeDecision& decision) {
  json.key("resume").begin_object();
  json.key("outcome").string(core::resume_name(decision.outcome));
  write_gap(json, decision);
  json.end_object();
}

net::Response events_response(const ports::EventPage& page, const core::ResumeDecision& decision) {
  const bool nothing_fits = decision.outcome == core::Resume::epoch_changed;
  const bool has_more = page.has_more && !nothing_fits;
  // A last page has seen everything up to the head, also what a filter left out: going on from there skips nothing.
  const std::uint64_t next_seq = has_more ? page.entries.back().seq : page.head.head_seq;

  std::string body;
  body.reserve(page.entries.size() * 1'536 + 128);
  core::JsonWriter json(body);
  json.begin_object();
  json.key("events").begin_array();
  if (!nothing_fits) {
    for (const core::LogEntry& entry : page.entries) write_log_entry_json(json, entry, page.head.epoch);
  }
  json.end_array();
  json.key("next_cursor").string(core::format_cursor({page.head.epoch, next_seq}));
  json.key("has_more").boolean(has_more);
  write_resume(json, decision);
  json.end_object();

  net::Response response;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  add_cursor_header(response, page.head.epoch, page.head.head_seq);
  return response;
}

core::ResumeDecision decide(const std::optional<core::Cursor>& after, const ports::LogHead& head) {
  return core::decide_resume(after ? &*after : nullptr, {head.epoch, head.oldest_seq, head.head_seq});
}

/// A history that is read from its beginning has a gap where that was pruned: where it doesn't begin with an entry
/// that is its stream's first.
core::ResumeDecision decide_history(std::optional<core::Cursor> after, const ports::EventPage& page) {
  const bool is_whole = !page.entries.empty() && !page.entries.front().prev_seq;
  if (!after && !is_whole && page.head.oldest_seq > 1) after = core::Cursor{page.head.epoch, 0};
  return decide(after, page.head);
}

void read_events(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  EventsQuery query = read_window(parameters);
  read_filter(parameters, query.filter);
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  query.filter.min_seq = min_seq_of(*request, query);
  // Without a cursor: the newest entries, and the cursor to follow the log from.
  const auto after_seq = query.after ? std::optional(query.after->seq) : std::nullopt;
  context.events.read(after_seq, query.limit, query.filter,
                      [request, query, respond = std::move(respond)](ports::StoreResult<ports::EventPage> page) {
                        if (!page) return respond(store_problem(page.error(), *request));
                        if (auto refusal = refuse_stale(*request, page->head.head_seq))
                          return respond(std::move(*refusal));
                        respond(events_response(*page, decide(query.after, page->head)));
                      });
}

/// An empty page: is it a stream without such entries, or no stream at all?
void answer_empty(const ApiContext& context, const std::shared_ptr<const net::Request>& request, std::uint64_t min_seq,
                  net::Response response, net::Respond respond) {
  context.streams.find(request->path_parameters[0], min_seq,
                       [request, response = std::move(response),
                        respond = std::move(respond)](ports::StoreResult<ports::StreamAnswer> found) {
                         if (!found) return respond(store_problem(found.error(), *request));
                         if (!found->stream) return respond(problem(404, "There is no such stream.", *request));
                         respond(response);
                       });
}

void read_stream_events(const ApiContext& context, const std::shared_ptr<const net::Request>& request,
                        net::Respond respond) {
  QueryParameters parameters(*request);
  EventsQuery query = read_window(parameters);
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  query.filter.stream_id = request->path_parameters[0];
  if (!core::is_stream_id(*query.filter.stream_id)) {
    return respond(problem(404, "There is no such stream.", *request));
  }
  query.filter.min_seq = min_seq_of(*request, query);
  // A stream's history is read from its beginning unless a cursor says otherwise.
  const std::uint64_t after_seq = query.after ? query.after->seq : 0;
  context.events.read(
      after_seq, query.limit, query.filter,
      [&context, request, query, respond = std::move(respond)](ports::StoreResult<ports::EventPage> page) mutable {
        if (!page) return respond(store_problem(page.error(), *request));
        if (auto refusal = refuse_stale(*request, page->head.head_seq)) return respond(std::move(*refusal));
        const core::ResumeDecision decision = decide_history(query.after, *page);
        net::Response response = events_response(*page, decision);
        if (!page->entries.empty()) return respond(std::move(response));
        answer_empty(context, request, query.filter.min_seq, std::move(response), std::move(respond));
      });
}

}  // namespace

void add_event_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/events", [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
    read_events(context, request, std::move(respond));
  });
  router.add("GET", "/api/streams/{id}/events",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               read_stream_events(context, request, std::move(respond));
             });
}

}  // namespace fluxora::api
