#include "access.hpp"
#include "fluxora/core/json_writer.hpp"
#include "private_answers.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

constexpr std::size_t default_limit = 20;
constexpr std::size_t max_limit = 100;
/// Positions are what the database can count.
constexpr std::uint64_t max_position = 9'223'372'036'854'775'807;

ports::AuditSource source(QueryParameters& query) {
  const auto text = query.text("source");
  if (!text || *text == "service") return ports::AuditSource::service;
  if (*text != "chain") query.add_problem("source", "must be service or chain.");
  return ports::AuditSource::chain;
}

std::optional<std::string> filter(QueryParameters& query, std::string_view name) {
  const auto text = query.text(name);
  if (!text) return std::nullopt;
  // PostgreSQL's texts have no NUL and are UTF-8; what is recorded is plain text of a line.
  for (const char c : *text) {
    if (c >= ' ' && c <= '~') continue;
    query.add_problem(name, "must be printable ASCII.");
    return std::nullopt;
  }
  return std::string(*text);
}

void write_entry(core::JsonWriter& json, const ports::AuditEntry& entry) {
  const ports::AuditRecord& record = entry.record;
  json.begin_object();
  json.key("position").unsigned_integer(entry.position);
  json.key("at").string(core::format_rfc3339_millis(entry.at));
  json.key("actor").string(record.actor);
  json.key("action").string(record.action);
  write_text_or_null(json, "target", record.target);
  write_text_or_null(json, "address", record.address);
  write_text_or_null(json, "requestId", record.request_id);
  json.key("detail").raw(record.detail);
  json.end_object();
}

void read_audit(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  ports::AuditQuery query;
  query.source = source(parameters);
  query.actor = filter(parameters, "actor");
  query.action = filter(parameters, "action");
  query.target = filter(parameters, "target");
  query.before = parameters.number("cursor", 0, max_position);
  query.limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  context.audit_log.read(std::move(query), [request, respond](ports::StoreResult<ports::AuditPage> page) {
    if (!page) return respond(store_problem(page.error(), *request));
    std::string body;
    core::JsonWriter json(body);
    json.begin_object();
    json.key("entries").begin_array();
    for (const ports::AuditEntry& entry : page->entries) write_entry(json, entry);
    json.end_array();
    json.key("has_more").boolean(page->has_more);
    json.key("next_cursor");
    page->has_more ? json.string(std::to_string(page->entries.back().position)) : json.null();
    json.end_object();
    respond(private_response(std::move(body)));
  });
}

}  // namespace

void add_audit_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/admin/audit",
             guarded(context, Access::admin,
                     [&context](const Caller&, std::shared_ptr<const net::Request> request, net::Respond respond) {
                       read_audit(context, request, std::move(respond));
                     }));
}

}  // namespace fluxora::api
