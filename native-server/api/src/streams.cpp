#include <string>
#include <unordered_map>
#include <unordered_set>

#include "body_fields.hpp"
#include "entity_tag.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "list_cursor.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

constexpr std::size_t default_limit = 20;
constexpr std::size_t max_limit = 100;
constexpr std::size_t max_lookup = 100;

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
    json.string(encode_list_cursor({page.at.epoch, {last.created_seq, last.id}}, filters));
  } else {
    json.null();
  }
  if (page.total) json.key("total").unsigned_integer(*page.total);
  json.end_object();
  return body;
}

/// Requests that share a page share its text: the store gives it to one after another of them on one thread.
std::shared_ptr<const std::string> shared_page_text(const std::shared_ptr<const ports::StreamPage>& page,
                                                    const std::string& filters, const ports::Clock& clock) {
  struct Last {
    std::weak_ptr<const ports::StreamPage> page;
    std::string filters;
    core::UnixMillis second = 0;  // that its balances are of, where nothing is indexed
    std::shared_ptr<const std::string> text;
  };
  thread_local Last last;
  const core::UnixMillis second = clock.now() / 1000;
  if (last.page.lock() != page || last.filters != filters || last.second != second) {
    last = {page, filters, second, std::make_shared<const std::string>(page_text(*page, filters, clock))};
  }
  return last.text;
}

/// Its position is one of a log that is served no more.
FieldProblem other_epoch() {
  return {"cursor", "VALIDATION_ERROR", "is of another epoch of the log: begin with the first page again."};
}

void list_streams(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  ports::StreamQuery query;
  query.status = parameters.stream_status("status");
  query.sender = parameters.address("sender");
  query.recipient = parameters.address("recipient");
  query.limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  query.include_total = parameters.boolean("include_total").value_or(false);
  query.now = static_cast<core::UnixSeconds>(context.clock.now() / 1000);
  const std::string filters = filters_text(query);
  std::string epoch;  // that the cursor is of
  if (const auto text = parameters.text("cursor")) {
    if (const auto cursor = decode_list_cursor(*text, filters)) {
      query.after = cursor->position;
      epoch = cursor->epoch;
    } else {
      parameters.add_problem("cursor", "is not one that this service gave for these filters.");
    }
  }
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  query.min_seq = min_version(*request);
  context.streams.list(std::move(query), [&context, request, filters, epoch, respond = std::move(respond)](
                                             ports::StoreResult<std::shared_ptr<const ports::StreamPage>> found) {
    if (!found) return respond(store_problem(found.error(), *request));
    const ports::StreamPage& page = **found;
    if (!epoch.empty() && epoch != page.at.epoch) return respond(validation_problem(*request, {other_epoch()}));
    if (auto refusal = refuse_stale(*request, page.at.head_seq)) return respond(std::move(*refusal));
    net::Response response;
    response.body = shared_page_text(*found, filters, context.clock);
    add_cursor_header(response, page.at.epoch, page.at.head_seq);
    respond(std::move(response));
  });
}

net::Response stream_response(const core::Stream& stream, const ports::ReadPoint& point, core::UnixSeconds at,
                              const net::Request& request) {
  const std::string etag = stream_etag(point.epoch, stream.version, at);
  net::Response response;
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  add_cursor_header(response, point.epoch, point.head_seq);
  if (if_none_match_names(request, etag)) {
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
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  const std::string& id = request->path_parameters[0];
  if (!core::is_stream_id(id)) return respond(problem(404, "There is no such stream.", *request));

  auto answer = [&context, request, at, respond = std::move(respond)](ports::StoreResult<ports::StreamAnswer> found) {
    if (!found) return respond(store_problem(found.error(), *request));
    if (auto refusal = refuse_stale(*request, found->at.head_seq)) return respond(std::move(*refusal));
    if (found->known_from) {
      return respond(problem(
          404, "What the stream was before " + core::format_rfc3339(*found->known_from) + " was pruned.", *request));
    }
    if (!found->stream) {
      return respond(problem(404, at ? "There was no such stream then." : "There is no such stream.", *request));
    }
    const core::UnixSeconds moment = at ? *at : as_of(*found->stream, found->at, context.clock);
    respond(stream_response(*found->stream, found->at, moment, *request));
  };
  const std::uint64_t min_seq = min_version(*request);
  at ? context.streams.find_as_of(id, *at, min_seq, std::move(answer))
     : context.streams.find(id, min_seq, std::move(answer));
}

/// The streams that were asked for in the order of the asking, and the ids that are no stream's; each once.
std::string lookup_text(const std::vector<std::string>& ids, const ports::StreamsAnswer& found,
                        const ports::Clock& clock) {
  std::unordered_map<std::string_view, const core::Stream*> by_id;
  for (const core::Stream& stream : found.streams) by_id.emplace(stream.id, &stream);
  std::vector<std::string_view> missing;
  std::string body;
  body.reserve(found.streams.size() * 1'024 + 128);
  core::JsonWriter json(body);
  json.begin_object();
  json.key("streams").begin_array();
  for (const std::string& id : ids) {
    const auto stream = by_id.find(id);
    if (stream == by_id.end()) {
      missing.push_back(id);
    } else {
      write_stream_json(json, *stream->second, as_of(*stream->second, found.at, clock));
    }
  }
  json.end_array();
  json.key("missing").begin_array();
  for (const std::string_view id : missing) json.string(id);
  json.end_array();
  json.end_object();
  return body;
}

std::vector<std::string> without_repetitions(std::vector<std::string> ids) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> unique;
  for (std::string& id : ids) {
    if (seen.insert(id).second) unique.push_back(std::move(id));
  }
  return unique;
}

void look_up_streams(const ApiContext& context, const std::shared_ptr<const net::Request>& request,
                     net::Respond respond) {
  QueryParameters parameters(*request);
  check_min_version(*request, parameters);
  auto asked = read_body(*request, respond, std::move(parameters).problems(),
                         [](JsonFields& fields) { return fields.texts("ids", max_lookup); });
  if (!asked) return;
  const std::vector<std::string> ids = without_repetitions(std::move(**asked));
  std::vector<std::string> possible;  // what can't be an id needn't be asked for
  for (const std::string& id : ids) {
    if (core::is_stream_id(id)) possible.push_back(id);
  }
  context.streams.find_all(
      std::move(possible), min_version(*request),
      [&context, request, ids, respond = std::move(respond)](ports::StoreResult<ports::StreamsAnswer> found) {
        if (!found) return respond(store_problem(found.error(), *request));
        if (auto refusal = refuse_stale(*request, found->at.head_seq)) return respond(std::move(*refusal));
        net::Response response;
        response.body = lookup_text(ids, *found, context.clock);
        add_cursor_header(response, found->at.epoch, found->at.head_seq);
        respond(std::move(response));
      });
}

}  // namespace

void add_stream_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/streams", [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
    list_streams(context, request, std::move(respond));
  });
  router.add("POST", "/api/streams/lookup",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               look_up_streams(context, request, std::move(respond));
             });
  router.add("GET", "/api/streams/{id}", [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
    read_stream(context, request, std::move(respond));
  });
}

}  // namespace fluxora::api
