#include <algorithm>
#include <string>

#include "fluxora/core/bytes.hpp"
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
/// A page ends early behind the entry that makes it this large: a thousand usual ones don't, but an event's value may
/// be half a megabyte.
constexpr std::size_t max_page_bytes = 8 * 1024 * 1024;
constexpr std::size_t usual_entry_bytes = 1'536;
constexpr std::size_t usual_xdr_bytes = 512;  // in base64

struct EventsQuery {
  std::optional<core::Cursor> after;
  std::size_t limit = default_limit;
  bool xdr = false;
  ports::EventFilter filter;
};

EventsQuery read_window(QueryParameters& parameters) {
  EventsQuery query;
  query.after = parameters.cursor("after");
  query.limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  query.xdr = parameters.boolean("xdr").value_or(false);
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

/// The bytes that the entry was folded from, as the log keeps them; null where it was made without any, by time or by a
/// retraction. Whoever has them can fold the log again.
void write_xdr(core::JsonWriter& json, const core::LogEntry& entry) {
  json.key("xdr");
  if (entry.value_xdr.empty()) {
    json.null();
    return;
  }
  json.begin_object();
  json.key("topics").begin_array();
  for (const core::Bytes& topic : entry.topics_xdr) json.string(core::base64_encode(topic));
  json.end_array();
  json.key("value").string(core::base64_encode(entry.value_xdr));
  json.end_object();
}

/// As many entries as fit, at least one; gives how many.
std::size_t write_entries(std::string& body, core::JsonWriter& json, const ports::EventPage& page, bool with_xdr) {
  std::size_t written = 0;
  while (written < page.entries.size() && body.size() < max_page_bytes) {
    const core::LogEntry& entry = page.entries[written++];
    json.begin_object();
    write_log_entry_members(json, entry, page.head.epoch);
    if (with_xdr) write_xdr(json, entry);
    json.end_object();
  }
  return written;
}

net::Response events_response(const ports::EventPage& page, const core::ResumeDecision& decision, bool with_xdr) {
  const bool nothing_fits = decision.outcome == core::Resume::epoch_changed;
  std::string body;
  body.reserve(page.entries.size() * (usual_entry_bytes + (with_xdr ? usual_xdr_bytes : 0)) + 128);
  core::JsonWriter json(body);
  json.begin_object();
  json.key("events").begin_array();
  const std::size_t written = nothing_fits ? 0 : write_entries(body, json, page, with_xdr);
  json.end_array();
  const bool has_more = !nothing_fits && (page.has_more || written < page.entries.size());
  // A last page has seen everything up to the head, also what a filter left out: going on from there skips nothing.
  const std::uint64_t next_seq = has_more ? page.entries[written - 1].seq : page.head.head_seq;
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
                        respond(events_response(*page, decide(query.after, page->head), query.xdr));
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
        net::Response response = events_response(*page, decision, query.xdr);
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
