#include <string>
#include <utility>

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

/// What was done about it, by itself.
std::string_view action_of(ports::DifferenceKind kind) {
  return kind == ports::DifferenceKind::log_differs_from_contract ? "observed" : "none";
}

/// `completed_at`: none while it is under way.
void write_pass(core::JsonWriter& json, const std::optional<ports::AuditPass>& pass,
                std::optional<core::UnixMillis> completed_at) {
  if (!pass) {
    json.null();
    return;
  }
  json.begin_object();
  json.key("startedAt").string(core::format_rfc3339_millis(pass->started_at));
  if (completed_at) json.key("completedAt").string(core::format_rfc3339_millis(*completed_at));
  json.key("streams").unsigned_integer(pass->streams);
  json.key("differences").unsigned_integer(pass->differences);
  json.end_object();
}

void write_difference(core::JsonWriter& json, const ports::FoundDifference& found) {
  const ports::Difference& difference = found.difference;
  json.begin_object();
  json.key("position").unsigned_integer(found.position);
  json.key("foundAt").string(core::format_rfc3339_millis(found.found_at));
  json.key("streamId").string(difference.stream_id);
  json.key("ledger").unsigned_integer(difference.ledger);
  json.key("difference").string(ports::difference_name(difference.kind));
  json.key("fields").raw(difference.fields);
  json.key("action").string(action_of(difference.kind));
  json.end_object();
}

net::Response page_response(const ports::ReconciliationPage& page) {
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  write_pass(json.key("pass"), page.state.pass, std::nullopt);
  write_pass(json.key("lastPass"), page.state.last_pass, page.state.last_completed_at);
  json.key("waiting").unsigned_integer(page.waiting);
  json.key("differences").begin_array();
  for (const ports::FoundDifference& found : page.differences) write_difference(json, found);
  json.end_array();
  json.key("has_more").boolean(page.has_more);
  json.key("next_cursor");
  page.has_more ? json.string(std::to_string(page.differences.back().position)) : json.null();
  json.end_object();
  return private_response(std::move(body));
}

void read_reconciliation(const ApiContext& context, const std::shared_ptr<const net::Request>& request,
                         net::Respond respond) {
  QueryParameters parameters(*request);
  const auto before = parameters.number("cursor", 0, max_position);
  const std::size_t limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  context.reconciliation->read(before, limit, [request, respond](ports::StoreResult<ports::ReconciliationPage> page) {
    if (!page) return respond(store_problem(page.error(), *request));
    respond(page_response(*page));
  });
}

}  // namespace

void add_reconciliation_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/admin/reconciliation",
             guarded(context, Access::admin,
                     [&context](const Caller&, std::shared_ptr<const net::Request> request, net::Respond respond) {
                       read_reconciliation(context, request, std::move(respond));
                     }));
}

}  // namespace fluxora::api
