#include "fluxora/api/admin_keys.hpp"

#include <algorithm>

#include "access.hpp"
#include "body_fields.hpp"
#include "fluxora/api/api_key_text.hpp"
#include "private_answers.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

using Json = nlohmann::json;

constexpr std::size_t default_limit = 100;
constexpr std::size_t max_limit = 1'000;

void list_keys(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  const std::size_t limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  std::optional<std::string> after;
  if (const auto cursor = parameters.text("cursor")) {
    after = *cursor;
    if (!is_api_key_id(*cursor)) parameters.add_problem("cursor", "is not one that this service gave.");
  }
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  context.api_keys.list(after, limit, [request, respond](ports::StoreResult<ports::ApiKeyPage> page) {
    if (!page) return respond(store_problem(page.error(), *request));
    std::string body;
    core::JsonWriter json(body);
    json.begin_object();
    json.key("keys").begin_array();
    for (const ports::ApiKey& key : page->keys) write_api_key_json(json, key);
    json.end_array();
    json.key("has_more").boolean(page->has_more);
    json.key("next_cursor");
    page->has_more ? json.string(page->keys.back().id) : json.null();
    json.end_object();
    respond(private_response(std::move(body)));
  });
}

void read_scopes(JsonFields& fields, std::vector<std::string>& scopes) {
  const Json* given = fields.array("scopes");
  if (given == nullptr) return;
  if (given->empty()) return fields.add_problem("scopes", "must be a list of at least one scope.");
  for (const Json& scope : *given) {
    if (!scope.is_string() || !is_scope(scope.get_ref<const std::string&>())) {
      return fields.add_problem("scopes", "may hold streams:write, webhooks:manage, indexer:write and admin.");
    }
    scopes.push_back(scope.get<std::string>());
  }
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
}

std::optional<core::UnixMillis> read_expiry(JsonFields& fields, core::UnixMillis now) {
  const std::string* given = fields.optional_text("expiresAt");
  if (given == nullptr) return std::nullopt;
  const auto time = core::parse_rfc3339(*given);
  if (!time) {
    fields.add_problem("expiresAt", "must be an RFC 3339 time in UTC.");
    return std::nullopt;
  }
  const core::UnixMillis expiry = static_cast<core::UnixMillis>(*time) * 1000;
  if (expiry <= now) fields.add_problem("expiresAt", "must be in the future.");
  return expiry;
}

/// What is wrong is in `fields` afterwards.
ports::NewApiKey read_key(JsonFields& fields, core::UnixMillis now) {
  ports::NewApiKey key;
  if (const std::string* name = fields.text("name")) {
    key.name = *name;
    if (const std::string_view why = key_name_problem(key.name); !why.empty()) fields.add_problem("name", why);
  }
  read_scopes(fields, key.scopes);
  key.expires_at = read_expiry(fields, now);
  return key;
}

void create_key(const ApiContext& context, const Caller& caller, const std::shared_ptr<const net::Request>& request,
                net::Respond respond) {
  auto wanted = read_body(*request, respond, [&](JsonFields& fields) { return read_key(fields, context.clock.now()); });
  if (!wanted) return;
  const ApiKeyText made = make_api_key(context.random);
  wanted->id = made.id;
  wanted->secret_hash = made.secret_hash();
  context.api_keys.create(std::move(*wanted), audit_record(caller, *request),
                          [request, respond, text = made.text()](ports::StoreResult<ports::ApiKey> key) {
                            if (!key) return respond(store_problem(key.error(), *request));
                            std::string json_text;
                            core::JsonWriter json(json_text);
                            write_api_key_json(json, *key, text);
                            net::Response response = private_response(std::move(json_text));
                            response.status = 201;
                            response.headers.emplace_back("Location", "/admin/api-keys/" + key->id);
                            respond(std::move(response));
                          });
}

void revoke_key(const ApiContext& context, const Caller& caller, const std::shared_ptr<const net::Request>& request,
                net::Respond respond) {
  if (refuse_query(*request, respond)) return;
  const std::string& id = request->path_parameters[0];
  if (!is_api_key_id(id)) return respond(problem(404, "There is no such key.", *request));
  context.api_keys.revoke(id, audit_record(caller, *request),
                          [&context, request, respond, id](ports::StoreResult<bool> known) {
                            if (!known) return respond(store_problem(known.error(), *request));
                            if (!*known) return respond(problem(404, "There is no such key.", *request));
                            context.access.forget_key(id);
                            net::Response response;
                            response.status = 204;
                            respond(std::move(response));
                          });
}

}  // namespace

void write_api_key_json(core::JsonWriter& json, const ports::ApiKey& key, std::string_view key_text) {
  json.begin_object();
  json.key("id").string(key.id);
  json.key("name").string(key.name);
  json.key("scopes").begin_array();
  for (const std::string& scope : key.scopes) json.string(scope);
  json.end_array();
  write_time(json, "createdAt", key.created_at);
  write_time(json, "expiresAt", key.expires_at);
  write_time(json, "lastUsedAt", key.last_used_at);
  write_time(json, "revokedAt", key.revoked_at);
  if (!key_text.empty()) json.key("key").string(key_text);
  json.end_object();
}

void add_admin_key_routes(net::Router& router, const ApiContext& context) {
  const auto add = [&](std::string_view method, std::string_view pattern, auto handle) {
    add_guarded_route(router, context, Access::admin, method, pattern, handle);
  };
  add("GET", "/admin/api-keys",
      [](const ApiContext& of, const Caller&, const std::shared_ptr<const net::Request>& request,
         net::Respond respond) { list_keys(of, request, std::move(respond)); });
  add("POST", "/admin/api-keys", create_key);
  add("DELETE", "/admin/api-keys/{id}", revoke_key);
}

}  // namespace fluxora::api
