#include "webhook_answers.hpp"

#include <optional>

#include "fluxora/core/cursor.hpp"
#include "fluxora/ports/replay_jobs.hpp"
#include "list_cursor.hpp"
#include "private_answers.hpp"
#include "problem.hpp"

namespace fluxora::api {
namespace {

std::string refusal_text(ports::WebhookRefusal refusal, std::string_view what) {
  switch (refusal) {
    case ports::WebhookRefusal::unknown: return "There is no such " + std::string(what) + ".";
    case ports::WebhookRefusal::configured:
      return "The endpoint is the configuration's: FLUXORA_WEBHOOK_URL and FLUXORA_WEBHOOK_SECRET define it.";
    case ports::WebhookRefusal::too_many:
      return "There are " + std::to_string(ports::max_webhook_endpoints) + " endpoints already: delete some.";
    case ports::WebhookRefusal::disabled: return "The endpoint is disabled: enable it first.";
    case ports::WebhookRefusal::cancelled: return "The delivery's endpoint was deleted.";
    case ports::WebhookRefusal::other_epoch:
    case ports::WebhookRefusal::beyond_head: return "epoch_changed: the cursor is none of the log's.";
    case ports::WebhookRefusal::pruned: return "gap: entries behind the cursor were pruned.";
    case ports::WebhookRefusal::already_running:
      return "A replay for this endpoint runs or is paused: wait for its end, or cancel it.";
    case ports::WebhookRefusal::wrong_state: break;
  }
  return "The replay's state doesn't allow that.";
}

}  // namespace

void write_delivery_members(core::JsonWriter& json, const ports::WebhookDelivery& delivery) {
  json.key("id").string(delivery.id);
  json.key("endpointId").string(std::to_string(delivery.endpoint));
  json.key("event").string(delivery.event);
  write_text_or_null(json, "streamId", delivery.stream_id);
  json.key("cursor");
  delivery.cursor ? json.string(core::format_cursor(*delivery.cursor)) : json.null();
  json.key("state").string(ports::name_in(delivery_states, delivery.state));
  json.key("attemptCount").unsigned_integer(delivery.attempts);
  write_time(json, "nextAttemptAt", delivery.due_at);
  json.key("lastStatus");
  delivery.last_status ? json.unsigned_integer(*delivery.last_status) : json.null();
  write_text_or_null(json, "lastError", delivery.last_error);
  write_time(json, "createdAt", delivery.created_at);
  write_time(json, "finishedAt", delivery.finished_at);
}

void write_delivery(core::JsonWriter& json, const ports::WebhookDelivery& delivery) {
  json.begin_object();
  write_delivery_members(json, delivery);
  json.end_object();
}

net::Response due_delivery_response(const ApiContext& context, const ports::WebhookDelivery& delivery) {
  wake_webhooks(context);
  std::string body;
  core::JsonWriter json(body);
  write_delivery(json, delivery);
  net::Response response = private_response(std::move(body), 202);
  response.headers.emplace_back("Location", "/api/webhooks/deliveries/" + delivery.id);
  return response;
}

void write_page_end(core::JsonWriter& json, bool has_more, std::string_view last_place, std::string_view filters) {
  json.key("has_more").boolean(has_more);
  json.key("next_cursor");
  has_more ? json.string(encode_place(last_place, filters)) : json.null();
}

net::Response webhook_refusal(ports::WebhookRefusal refusal, std::string_view what, const net::Request& request) {
  return problem(refusal == ports::WebhookRefusal::unknown ? 404 : 409, refusal_text(refusal, what), request);
}

std::optional<std::uint64_t> read_endpoint_id(JsonFields& fields) {
  const std::string* text = fields.text("endpointId");
  if (text == nullptr) return std::nullopt;
  const auto id = row_id(*text);
  if (!id) fields.add_problem("endpointId", "is not the id of an endpoint.");
  return id;
}

net::Response unknown_endpoint_id(const net::Request& request) {
  return validation_problem(request, {{"endpointId", "VALIDATION_ERROR", "is not the id of an endpoint."}});
}

void wake_webhooks(const ApiContext& context) {
  if (context.wake_webhooks) context.wake_webhooks();
}

}  // namespace fluxora::api
