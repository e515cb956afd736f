#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "body_fields.hpp"
#include "fluxora/core/cursor.hpp"
#include "fluxora/ports/replay_jobs.hpp"
#include "list_cursor.hpp"
#include "private_answers.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "webhook_answers.hpp"

namespace fluxora::api {
namespace {

using RequestPointer = std::shared_ptr<const net::Request>;
using State = ports::WebhookReplayState;
using Action = ports::Webhooks::ReplayAction;
using ReplayOutcome = ports::StoreResult<ports::WebhookOutcome<ports::WebhookReplay>>;

constexpr std::size_t default_limit = 20;
constexpr std::size_t max_limit = 100;
constexpr std::string_view what = "replay";
constexpr std::array<std::pair<State, std::string_view>, 5> replay_states = {{{State::running, "running"},
                                                                              {State::paused, "paused"},
                                                                              {State::done, "done"},
                                                                              {State::failed, "failed"},
                                                                              {State::cancelled, "cancelled"}}};

void write_replay(core::JsonWriter& json, const ports::WebhookReplay& replay) {
  const auto cursor = [&](std::string_view name, std::uint64_t seq) {
    json.key(name).string(core::format_cursor({replay.epoch, seq}));
  };
  json.begin_object();
  json.key("id").string(std::to_string(replay.id));
  json.key("endpointId").string(std::to_string(replay.endpoint));
  json.key("state").string(ports::name_in(replay_states, replay.state));
  cursor("after", replay.after_seq);
  cursor("through", replay.through_seq);
  cursor("place", replay.place);
  json.key("done").unsigned_integer(replay.place - replay.after_seq);
  json.key("total").unsigned_integer(replay.through_seq - replay.after_seq);
  json.key("deliveries").unsigned_integer(replay.deliveries);
  write_text_or_null(json, "message", replay.message);
  write_time(json, "createdAt", replay.created_at);
  write_time(json, "updatedAt", replay.updated_at);
  write_time(json, "finishedAt", replay.finished_at);
  json.end_object();
}

/// The filter as text: a cursor goes with exactly this.
std::string filters_text(const ports::WebhookReplayQuery& query) {
  return "webhook_replays/1/" + (query.endpoint ? std::to_string(*query.endpoint) : "-");
}

net::Response replay_response(const ports::WebhookReplay& replay, unsigned status = 200) {
  std::string body;
  core::JsonWriter json(body);
  write_replay(json, replay);
  return private_response(std::move(body), status);
}

struct Range {
  std::optional<std::uint64_t> endpoint;
  std::optional<core::Cursor> after;
  std::optional<core::Cursor> through;
};

/// What is wrong is in `fields` afterwards.
Range read_range(JsonFields& fields) {
  Range range;
  range.endpoint = read_endpoint_id(fields);
  range.after = fields.cursor("after");
  range.through = fields.optional_cursor("through");
  if (range.after && range.through) {
    if (range.through->epoch != range.after->epoch)
      fields.add_problem("through", "is of another epoch than after.");
    else if (range.through->seq < range.after->seq)
      fields.add_problem("through", "must not lie before after.");
  }
  return range;
}

/// `outcome`: what a feed would be told of such a cursor.
net::Response cursor_refusal(core::Resume outcome, std::string_view field, std::string_view why,
                             const net::Request& request) {
  return problem(409, std::string(core::resume_name(outcome)) + ": " + std::string(field) + " " + std::string(why),
                 request, {{std::string(field), "VALIDATION_ERROR", std::string(why)}});
}

/// Names the cursor from which on entries are there.
void refuse_pruned(const ApiContext& context, const RequestPointer& request, const net::Respond& respond) {
  context.events.head([request, respond](const ports::StoreResult<ports::LogHead>& head) {
    if (!head) return respond(store_problem(head.error(), *request));
    const core::Cursor oldest{head->epoch, head->oldest_seq - std::min<std::uint64_t>(head->oldest_seq, 1)};
    respond(cursor_refusal(core::Resume::gap, "after",
                           "lies before entries that were pruned: begin after " + core::format_cursor(oldest) + ".",
                           *request));
  });
}

net::Response start_refusal(ports::WebhookRefusal refusal, bool has_through, const net::Request& request) {
  switch (refusal) {
    case ports::WebhookRefusal::unknown: return unknown_endpoint_id(request);
    case ports::WebhookRefusal::other_epoch:
      return cursor_refusal(core::Resume::epoch_changed, "after", "is of another epoch of the log.", request);
    case ports::WebhookRefusal::beyond_head:  // of two cursors the later one
      return cursor_refusal(core::Resume::epoch_changed, has_through ? "through" : "after",
                            "is of an entry that the log doesn't have.", request);
    default: return webhook_refusal(refusal, what, request);
  }
}

void start_replay(const ApiContext& context, const Caller& caller, const RequestPointer& request,
                  const net::Respond& respond) {
  auto range = read_body(*request, respond, read_range);
  if (!range) return;
  context.webhooks->start_replay(
      *range->endpoint, std::move(*range->after), range->through, audit_record(caller, *request),
      [&context, request, respond, has_through = range->through.has_value()](const ReplayOutcome& made) {
        if (!made) return respond(store_problem(made.error(), *request));
        if (!*made && made->error() == ports::WebhookRefusal::pruned) return refuse_pruned(context, request, respond);
        if (!*made) return respond(start_refusal(made->error(), has_through, *request));
        wake_webhooks(context);
        net::Response response = replay_response(**made, 202);
        response.headers.emplace_back("Location", "/api/webhooks/replay/" + std::to_string((*made)->id));
        respond(std::move(response));
      });
}

void list_replays(const ApiContext& context, const Caller&, const RequestPointer& request,
                  const net::Respond& respond) {
  QueryParameters parameters(*request);
  ports::WebhookReplayQuery query;
  if (const auto endpoint = parameters.text("endpointId")) {
    query.endpoint = row_id(*endpoint);
    if (!query.endpoint) parameters.add_problem("endpointId", "is not the id of an endpoint.");
  }
  query.limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  const std::string filters = filters_text(query);
  if (const auto text = parameters.text("cursor")) {
    if (const auto place = decode_place(*text, filters)) query.before = row_id(*place);
    if (!query.before) parameters.add_problem("cursor", "is not one that this service gave for these filters.");
  }
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  context.webhooks->replays(query, [request, respond, filters](ports::StoreResult<ports::WebhookReplayPage> page) {
    if (!page) return respond(store_problem(page.error(), *request));
    std::string body;
    core::JsonWriter json(body);
    json.begin_object();
    json.key("replays").begin_array();
    for (const ports::WebhookReplay& replay : page->replays) write_replay(json, replay);
    json.end_array();
    write_page_end(json, page->has_more, page->has_more ? std::to_string(page->replays.back().id) : "", filters);
    json.end_object();
    respond(private_response(std::move(body)));
  });
}

void show_replay(const ApiContext& context, const Caller&, const RequestPointer& request, const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  const auto id = row_id(request->path_parameters[0]);
  if (!id) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
  context.webhooks->replay(*id, [request, respond](ports::StoreResult<std::optional<ports::WebhookReplay>> found) {
    if (!found) return respond(store_problem(found.error(), *request));
    if (!*found) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
    respond(replay_response(**found));
  });
}

void change_replay(const ApiContext& context, Action action, const Caller& caller, const RequestPointer& request,
                   const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  const auto id = row_id(request->path_parameters[0]);
  if (!id) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
  context.webhooks->change_replay(*id, action, audit_record(caller, *request),
                                  [&context, request, respond](const ReplayOutcome& changed) {
                                    if (!changed) return respond(store_problem(changed.error(), *request));
                                    if (!*changed) return respond(webhook_refusal(changed->error(), what, *request));
                                    wake_webhooks(context);
                                    respond(replay_response(**changed));
                                  });
}

}  // namespace

void add_webhook_replay_routes(net::Router& router, const ApiContext& context) {
  const auto add = [&](std::string_view method, std::string_view pattern, auto handle) {
    add_guarded_route(router, context, Access::webhooks_manage, method, pattern, handle);
  };
  const auto change = [](Action action) {
    return [action](const ApiContext& of, const Caller& caller, const RequestPointer& request, net::Respond respond) {
      change_replay(of, action, caller, request, respond);
    };
  };
  add("POST", "/api/webhooks/replay", start_replay);
  add("GET", "/api/webhooks/replay", list_replays);
  add("GET", "/api/webhooks/replay/{id}", show_replay);
  add("DELETE", "/api/webhooks/replay/{id}", change(Action::cancel));
  add("POST", "/api/webhooks/replay/{id}/pause", change(Action::pause));
  add("POST", "/api/webhooks/replay/{id}/resume", change(Action::resume));
}

}  // namespace fluxora::api
