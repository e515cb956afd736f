#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "body_fields.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/webhook_body.hpp"
#include "fluxora/ports/delivery_id.hpp"
#include "list_cursor.hpp"
#include "private_answers.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "webhook_answers.hpp"

namespace fluxora::api {
namespace {

using Json = nlohmann::json;
using RequestPointer = std::shared_ptr<const net::Request>;
using EndpointOutcome = ports::StoreResult<ports::WebhookOutcome<ports::WebhookEndpoint>>;

constexpr std::size_t default_limit = 20;
constexpr std::size_t max_limit = 100;
constexpr std::size_t max_description_characters = 500;
constexpr std::uint64_t default_grace_seconds = 86'400;
constexpr std::uint64_t max_grace_seconds = 604'800;
constexpr std::string_view what = "endpoint";
/// Which list a cursor is of, and the form of its places.
constexpr std::string_view endpoint_list = "webhook_endpoints/1";

// --- answers

/// `secret`: of one that has just been given; empty: none is shown.
void write_endpoint(core::JsonWriter& json, const ports::WebhookEndpoint& endpoint, std::string_view secret = {}) {
  const ports::WebhookFilter& filter = endpoint.filter;
  json.begin_object();
  json.key("id").string(std::to_string(endpoint.id));
  json.key("url").string(endpoint.url);
  json.key("events");
  if (filter.events.empty()) {
    json.null();
  } else {
    json.begin_array();
    for (const core::EventName event : filter.events) json.string(core::event_name_text(event));
    json.end_array();
  }
  write_text_or_null(json, "streamId", filter.stream_id);
  write_text_or_null(json, "sender", filter.sender);
  write_text_or_null(json, "recipient", filter.recipient);
  json.key("description").string(endpoint.description);
  json.key("enabled").boolean(endpoint.enabled);
  json.key("configured").boolean(endpoint.configured);
  write_text_or_null(json, "disabledReason", endpoint.disabled_reason);
  write_time(json, "disabledAt", endpoint.disabled_at);
  write_time(json, "failingSince", endpoint.failing_since);
  write_time(json, "previousSecretExpiresAt", endpoint.previous_secret_until);
  json.key("cursor").string(core::format_cursor(endpoint.since));
  write_time(json, "createdAt", endpoint.created_at);
  write_time(json, "updatedAt", endpoint.updated_at);
  if (!secret.empty()) json.key("secret").string(secret);
  json.end_object();
}

net::Response endpoint_response(const ports::WebhookEndpoint& endpoint, std::string_view secret = {}) {
  std::string body;
  core::JsonWriter json(body);
  write_endpoint(json, endpoint, secret);
  return private_response(std::move(body));
}

/// Where the store has none, or refused. Empty: it has one.
std::optional<net::Response> failure_of(const EndpointOutcome& outcome, const net::Request& request) {
  if (!outcome) return store_problem(outcome.error(), request);
  if (!*outcome) return webhook_refusal(outcome->error(), what, request);
  return std::nullopt;
}

// --- what is asked for

std::string known_events() {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(core::EventName::chain_event); ++i) {
    names.push_back(core::event_name_text(static_cast<core::EventName>(i)));
  }
  return listed(names);
}

/// None where the member isn't there; null stands for all, which is empty.
std::optional<std::vector<core::EventName>> read_events(JsonFields& fields) {
  if (!fields.given("events")) return std::nullopt;
  std::vector<core::EventName> events;
  const Json* names = fields.optional_array("events");
  if (names == nullptr) return events;
  if (names->empty()) fields.add_problem("events", "must name at least one event; null stands for all.");
  for (const Json& name : *names) {
    const auto event = name.is_string() ? core::event_name_from_text(name.get_ref<const std::string&>()) : std::nullopt;
    if (!event || std::find(events.begin(), events.end(), *event) != events.end()) {
      fields.add_problem("events", "may hold, each once, " + known_events() + ".");
      break;
    }
    events.push_back(*event);
  }
  std::sort(events.begin(), events.end());
  return events;
}

/// None where the member isn't there; null stands for any, which is empty.
std::optional<std::string> read_filter(JsonFields& fields, std::string_view name, bool (*is_good)(std::string_view),
                                       std::string_view otherwise) {
  if (!fields.given(name)) return std::nullopt;
  const std::string* text = fields.optional_text(name);
  if (text == nullptr) return std::string();
  if (!is_good(*text)) fields.add_problem(name, otherwise);
  return *text;
}

std::optional<std::string> read_url(JsonFields& fields, const ApiContext& context) {
  if (!fields.given("url")) return std::nullopt;
  const std::string* url = fields.text("url");
  if (url == nullptr) return std::nullopt;
  if (const auto why = context.webhook_target_problem(*url)) fields.add_problem("url", *why);
  return *url;
}

std::size_t characters(std::string_view utf8) {
  // All bytes but those that go on with a character: 10xxxxxx.
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::optional<std::string> read_description(JsonFields& fields) {
  if (!fields.given("description")) return std::nullopt;
  const std::string* text = fields.optional_text("description");
  if (text == nullptr) return std::string();
  if (characters(*text) > max_description_characters) {
    fields.add_problem("description",
                       "must have at most " + std::to_string(max_description_characters) + " characters.");
  }
  return *text;
}

std::optional<bool> read_enabled(JsonFields& fields) {
  const auto enabled = fields.flag("enabled");
  if (!enabled && fields.given("enabled") && !fields.has_problem("enabled")) {
    fields.add_problem("enabled", "must be true or false.");  // and not null
  }
  return enabled;
}

/// What is wrong is in `fields` afterwards, here and below.
ports::WebhookEndpointChange read_change(JsonFields& fields, const ApiContext& context) {
  ports::WebhookEndpointChange change;
  change.url = read_url(fields, context);
  change.events = read_events(fields);
  change.stream_id = read_filter(fields, "streamId", core::is_stream_id, not_a_stream_id);
  change.sender = read_filter(fields, "sender", core::is_stream_party, not_an_address);
  change.recipient = read_filter(fields, "recipient", core::is_stream_party, not_an_address);
  change.description = read_description(fields);
  change.enabled = read_enabled(fields);
  return change;
}

ports::NewWebhookEndpoint read_new_endpoint(JsonFields& fields, const ApiContext& context) {
  if (!fields.given("url")) fields.add_problem("url", "is required.");
  ports::WebhookEndpointChange given = read_change(fields, context);
  return {given.url.value_or(""), given.description.value_or(""),
          ports::WebhookFilter{given.events.value_or(std::vector<core::EventName>()), given.stream_id.value_or(""),
                               given.sender.value_or(""), given.recipient.value_or("")},
          given.enabled.value_or(true)};
}

// --- secrets

/// `whsec_` and base64 of 32 random bytes. SPEC section 8.
std::string make_secret(ports::Random& random) {
  std::array<std::uint8_t, 32> bytes{};
  random.fill(bytes);
  return "whsec_" + core::base64_encode(bytes);
}

core::Bytes sealed_secret(const ApiContext& context, const std::string& secret, std::uint64_t endpoint) {
  core::SecretBoxNonce nonce{};
  context.random.fill(nonce);
  return context.webhook_secrets->seal(secret, ports::webhook_secret_owner(endpoint), nonce);
}

net::Response no_secret_keys(const net::Request& request) {
  return problem(503, "Secrets of endpoints can't be kept here: WEBHOOK_SECRET_KEYS is not set.", request);
}

// --- routes

void list_endpoints(const ApiContext& context, const Caller&, const RequestPointer& request, net::Respond respond) {
  QueryParameters parameters(*request);
  const std::size_t limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  std::optional<std::uint64_t> before;
  if (const auto text = parameters.text("cursor")) {
    const auto place = decode_place(*text, endpoint_list);
    if (place) before = row_id(*place);
    if (!before) parameters.add_problem("cursor", "is not one that this service gave for this list.");
  }
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  context.webhooks->list(before, limit, [request, respond](ports::StoreResult<ports::WebhookEndpointPage> page) {
    if (!page) return respond(store_problem(page.error(), *request));
    std::string body;
    core::JsonWriter json(body);
    json.begin_object();
    json.key("endpoints").begin_array();
    for (const ports::WebhookEndpoint& endpoint : page->endpoints) write_endpoint(json, endpoint);
    json.end_array();
    const std::string last = page->has_more ? std::to_string(page->endpoints.back().id) : "";
    write_page_end(json, page->has_more, last, endpoint_list);
    json.end_object();
    respond(private_response(std::move(body)));
  });
}

void create_endpoint(const ApiContext& context, const Caller& caller, const RequestPointer& request,
                     net::Respond respond) {
  auto wanted = read_body(*request, respond, [&](JsonFields& fields) { return read_new_endpoint(fields, context); });
  if (!wanted) return;
  if (context.webhook_secrets == nullptr) return respond(no_secret_keys(*request));
  const std::string secret = make_secret(context.random);
  context.webhooks->create(
      std::move(*wanted), [&context, secret](std::uint64_t id) { return sealed_secret(context, secret, id); },
      audit_record(caller, *request),
      [request, respond, secret](const EndpointOutcome& made) {
        if (auto failure = failure_of(made, *request)) return respond(std::move(*failure));
        net::Response response = endpoint_response(**made, secret);
        response.status = 201;
        response.headers.emplace_back("Location", "/api/webhooks/endpoints/" + std::to_string((*made)->id));
        respond(std::move(response));
      });
}

/// A route of one endpoint. `handle`: (context, id, caller, request, respond).
template <class Handle>
auto with_endpoint(Handle handle) {
  return
      [handle](const ApiContext& context, const Caller& caller, const RequestPointer& request, net::Respond respond) {
        const auto id = row_id(request->path_parameters[0]);
        if (!id) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
        handle(context, *id, caller, request, std::move(respond));
      };
}

void show_endpoint(const ApiContext& context, std::uint64_t id, const Caller&, const RequestPointer& request,
                   const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  context.webhooks->find(id, [request, respond](ports::StoreResult<std::optional<ports::WebhookEndpoint>> found) {
    if (!found) return respond(store_problem(found.error(), *request));
    if (!*found) return respond(webhook_refusal(ports::WebhookRefusal::unknown, what, *request));
    respond(endpoint_response(**found));
  });
}

void change_endpoint(const ApiContext& context, std::uint64_t id, const Caller& caller, const RequestPointer& request,
                     const net::Respond& respond) {
  auto change = read_body(*request, respond, [&](JsonFields& fields) { return read_change(fields, context); });
  if (!change) return;
  context.webhooks->change(id, std::move(*change), audit_record(caller, *request),
                           [&context, request, respond](const EndpointOutcome& changed) {
                             if (auto failure = failure_of(changed, *request)) return respond(std::move(*failure));
                             wake_webhooks(context);
                             respond(endpoint_response(**changed));
                           });
}

void remove_endpoint(const ApiContext& context, std::uint64_t id, const Caller& caller, const RequestPointer& request,
                     const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  context.webhooks->remove(id, audit_record(caller, *request),
                           [request, respond](ports::StoreResult<ports::WebhookOutcome<bool>> removed) {
                             if (!removed) return respond(store_problem(removed.error(), *request));
                             if (!*removed) return respond(webhook_refusal(removed->error(), what, *request));
                             net::Response response;
                             response.status = 204;
                             respond(std::move(response));
                           });
}

void rotate_secret(const ApiContext& context, std::uint64_t id, const Caller& caller, const RequestPointer& request,
                   const net::Respond& respond) {
  const auto grace_seconds = read_optional_body(*request, respond, [](JsonFields& fields) {
    return fields.optional_number("graceSeconds", 0, max_grace_seconds).value_or(default_grace_seconds);
  });
  if (!grace_seconds) return;
  if (context.webhook_secrets == nullptr) return respond(no_secret_keys(*request));
  const std::string secret = make_secret(context.random);
  ports::SecretRotation rotation{sealed_secret(context, secret, id), std::nullopt};
  if (*grace_seconds > 0) {
    rotation.former_until = context.clock.now() + static_cast<core::UnixMillis>(*grace_seconds) * 1'000;
  }
  context.webhooks->rotate(id, std::move(rotation), audit_record(caller, *request),
                           [request, respond, secret](const EndpointOutcome& rotated) {
                             if (auto failure = failure_of(rotated, *request)) return respond(std::move(*failure));
                             respond(endpoint_response(**rotated, secret));
                           });
}

void test_endpoint(const ApiContext& context, std::uint64_t id, const Caller& caller, const RequestPointer& request,
                   const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  context.webhooks->test(
      id, core::webhook_test_body(std::to_string(id), context.clock.now()), audit_record(caller, *request),
      [&context, request, respond](ports::StoreResult<ports::WebhookOutcome<ports::WebhookDelivery>> made) {
        if (!made) return respond(store_problem(made.error(), *request));
        if (!*made) return respond(webhook_refusal(made->error(), what, *request));
        respond(due_delivery_response(context, **made));
      });
}

}  // namespace

void add_webhook_endpoint_routes(net::Router& router, const ApiContext& context) {
  const auto add = [&](std::string_view method, std::string_view pattern, auto handle) {
    add_guarded_route(router, context, Access::webhooks_manage, method, pattern, handle);
  };
  const std::string_view one = "/api/webhooks/endpoints/{id}";
  add("GET", "/api/webhooks/endpoints", list_endpoints);
  add("POST", "/api/webhooks/endpoints", create_endpoint);
  add("GET", one, with_endpoint(show_endpoint));
  add("PATCH", one, with_endpoint(change_endpoint));
  add("DELETE", one, with_endpoint(remove_endpoint));
  add("POST", "/api/webhooks/endpoints/{id}/rotate-secret", with_endpoint(rotate_secret));
  add("POST", "/api/webhooks/endpoints/{id}/test", with_endpoint(test_endpoint));
}

}  // namespace fluxora::api
