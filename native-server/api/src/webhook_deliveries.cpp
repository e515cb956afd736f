#include <optional>
#include <string>
#include <utility>

#include "body_fields.hpp"
#include "fluxora/ports/delivery_id.hpp"
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

constexpr std::size_t default_limit = 20;
constexpr std::size_t max_limit = 100;
/// Of dead letters that are redelivered in one transaction.
constexpr std::size_t max_redelivered = 1'000;
constexpr std::string_view what = "delivery";

/// The filters as text: a cursor goes with exactly these.
std::string filters_text(const ports::DeliveryQuery& query) {
  return "webhook_deliveries/2/" + (query.endpoint ? std::to_string(*query.endpoint) : "-") + "/" +
         std::string(query.state ? ports::name_in(delivery_states, *query.state) : "-");
}

/// As cursors carry it: the list of all goes by creation, so that this has to be known without the delivery.
std::string place_text(const ports::WebhookDelivery& delivery) {
  return std::to_string(delivery.created_at) + "/" + delivery.id;
}

std::optional<ports::DeliveryPlace> parse_place(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto created_at = row_id(text.substr(0, slash));
  auto key = ports::parse_delivery_id(text.substr(slash + 1));
  if (!created_at || !key) return std::nullopt;
  return ports::DeliveryPlace{std::move(*key), static_cast<core::UnixMillis>(*created_at)};
}

/// What all lists of deliveries take, once their filters are known.
void read_page(QueryParameters& parameters, ports::DeliveryQuery& query) {
  query.limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  const auto text = parameters.text("cursor");
  if (!text) return;
  if (const auto place = decode_place(*text, filters_text(query))) query.after = parse_place(*place);
  if (!query.after) parameters.add_problem("cursor", "is not one that this service gave for these filters.");
}

net::Response page_response(const ports::DeliveryPage& page, const std::string& filters) {
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  json.key("deliveries").begin_array();
  for (const ports::WebhookDelivery& delivery : page.deliveries) write_delivery(json, delivery);
  json.end_array();
  write_page_end(json, page.has_more, page.has_more ? place_text(page.deliveries.back()) : "", filters);
  json.end_object();
  return private_response(std::move(body));
}

/// Nothing was ever for it; now it matters whether there is such an endpoint. One that was deleted keeps its list.
void answer_empty_list(const ApiContext& context, std::uint64_t endpoint, const std::string& filters,
                       const RequestPointer& request, const net::Respond& respond) {
  context.webhooks->find(endpoint,
                         [request, respond, filters](ports::StoreResult<std::optional<ports::WebhookEndpoint>> found) {
                           if (!found) return respond(store_problem(found.error(), *request));
                           if (!*found)
                             return respond(webhook_refusal(ports::WebhookRefusal::unknown, "endpoint", *request));
                           respond(page_response({}, filters));
                         });
}

void list_deliveries(const ApiContext& context, const Caller&, const RequestPointer& request,
                     const net::Respond& respond) {
  QueryParameters parameters(*request);
  ports::DeliveryQuery query;
  query.endpoint = row_id(request->path_parameters[0]);
  if (const auto state = parameters.text("state")) {
    query.state = ports::value_in(delivery_states, *state);
    if (!query.state) parameters.add_problem("state", "must be waiting, delivered, dead or cancelled.");
  }
  read_page(parameters, query);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  if (!query.endpoint) return respond(webhook_refusal(ports::WebhookRefusal::unknown, "endpoint", *request));
  const std::string filters = filters_text(query);
  context.webhooks->deliveries(
      query, [&context, request, respond, query, filters](ports::StoreResult<ports::DeliveryPage> page) {
        if (!page) return respond(store_problem(page.error(), *request));
        if (page->deliveries.empty()) return answer_empty_list(context, *query.endpoint, filters, request, respond);
        respond(page_response(*page, filters));
      });
}

void write_attempt(core::JsonWriter& json, const ports::WebhookAttempt& attempt) {
  json.begin_object();
  json.key("number").unsigned_integer(attempt.number);
  write_time(json, "at", attempt.at);
  json.key("durationMs").integer(attempt.duration_ms);
  json.key("status");
  attempt.status ? json.unsigned_integer(*attempt.status) : json.null();
  write_text_or_null(json, "error", attempt.error);
  write_text_or_null(json, "detail", attempt.detail);
  write_text_or_null(json, "response", attempt.response);
  json.end_object();
}

void show_delivery(const ApiContext& context, const Caller&, const RequestPointer& request,
                   const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  const auto key = ports::parse_delivery_id(request->path_parameters[0]);
  if (!key) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
  context.webhooks->delivery(
      *key, [request, respond](ports::StoreResult<std::optional<ports::WebhookDeliveryDetails>> found) {
        if (!found) return respond(store_problem(found.error(), *request));
        if (!*found) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
        const ports::WebhookDeliveryDetails& details = **found;
        std::string body;
        core::JsonWriter json(body);
        json.begin_object();
        write_delivery_members(json, details.delivery);
        json.key("attempts").begin_array();
        for (const ports::WebhookAttempt& attempt : details.attempts) write_attempt(json, attempt);
        json.end_array();
        json.key("payload").raw(details.body);  // the bytes that are sent
        json.end_object();
        respond(private_response(std::move(body)));
      });
}

void redeliver(const ApiContext& context, const Caller& caller, const RequestPointer& request,
               const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  const auto key = ports::parse_delivery_id(request->path_parameters[0]);
  if (!key) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
  context.webhooks->redeliver(
      *key, audit_record(caller, *request),
      [&context, request, respond](ports::StoreResult<ports::WebhookOutcome<ports::WebhookDelivery>> due) {
        if (!due) return respond(store_problem(due.error(), *request));
        if (!*due) return respond(webhook_refusal(due->error(), what, *request));
        respond(due_delivery_response(context, **due));
      });
}

// --- dead letters

void list_dead_letters(const ApiContext& context, const Caller&, const RequestPointer& request,
                       const net::Respond& respond) {
  QueryParameters parameters(*request);
  ports::DeliveryQuery query;
  query.state = ports::DeliveryState::dead;
  if (const auto endpoint = parameters.text("endpointId")) {
    query.endpoint = row_id(*endpoint);
    if (!query.endpoint) parameters.add_problem("endpointId", "is not the id of an endpoint.");
  }
  read_page(parameters, query);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  const std::string filters = filters_text(query);
  context.webhooks->deliveries(query, [request, respond, filters](ports::StoreResult<ports::DeliveryPage> page) {
    respond(page ? page_response(*page, filters) : store_problem(page.error(), *request));
  });
}

void redeliver_dead_letters(const ApiContext& context, const Caller& caller, const RequestPointer& request,
                            const net::Respond& respond) {
  struct Wish {
    std::optional<std::uint64_t> endpoint;
    std::size_t limit;
  };
  const auto wish = read_body(*request, respond, [](JsonFields& fields) {
    const auto endpoint = read_endpoint_id(fields);
    return Wish{endpoint, fields.optional_number("limit", 1, max_redelivered).value_or(max_redelivered)};
  });
  if (!wish) return;
  context.webhooks->redeliver_dead(
      *wish->endpoint, wish->limit, audit_record(caller, *request),
      [&context, request, respond](ports::StoreResult<ports::WebhookOutcome<std::uint64_t>> redelivered) {
        if (!redelivered) return respond(store_problem(redelivered.error(), *request));
        if (!*redelivered) {
          const ports::WebhookRefusal refusal = redelivered->error();
          return respond(refusal == ports::WebhookRefusal::unknown ? unknown_endpoint_id(*request)
                                                                   : webhook_refusal(refusal, "endpoint", *request));
        }
        wake_webhooks(context);
        std::string body;
        core::JsonWriter(body).begin_object().key("redelivered").unsigned_integer(**redelivered).end_object();
        respond(private_response(std::move(body), 202));
      });
}

}  // namespace

void add_webhook_delivery_routes(net::Router& router, const ApiContext& context) {
  const auto add = [&](Access access, std::string_view method, std::string_view pattern, auto handle) {
    add_guarded_route(router, context, access, method, pattern, handle);
  };
  add(Access::webhooks_manage, "GET", "/api/webhooks/endpoints/{id}/deliveries", list_deliveries);
  add(Access::webhooks_manage, "GET", "/api/webhooks/deliveries/{id}", show_delivery);
  add(Access::webhooks_manage, "POST", "/api/webhooks/deliveries/{id}/redeliver", redeliver);
  add(Access::admin, "GET", "/admin/webhooks/dead-letters", list_dead_letters);
  add(Access::admin, "POST", "/admin/webhooks/dead-letters/redeliver", redeliver_dead_letters);
}

}  // namespace fluxora::api
