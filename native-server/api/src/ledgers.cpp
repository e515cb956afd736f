#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/unix_time.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

constexpr std::string_view no_such_ledger =
    "This server holds nothing of that ledger: it lies before the first or after the last that was indexed.";

void write_contracts(core::JsonWriter& json, std::string_view contracts) {
  json.begin_array();
  for (std::size_t from = 0; from < contracts.size();) {
    const std::size_t comma = std::min(contracts.find(',', from), contracts.size());
    json.string(contracts.substr(from, comma - from));
    from = comma + 1;
  }
  json.end_array();
}

std::string ledger_text(std::uint32_t ledger, const ports::HeldLedger& held) {
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  json.key("ledger").unsigned_integer(ledger);
  if (held.hash) json.key("hash").string(core::hex_encode(*held.hash));
  if (held.closed_at) json.key("closedAt").string(core::format_rfc3339(*held.closed_at));
  json.key("digest").string(core::hex_encode(held.digest));
  json.key("digestLedger");
  held.digest_ledger ? json.unsigned_integer(*held.digest_ledger) : json.null();
  json.key("firstLedger").unsigned_integer(held.first);
  json.key("lastLedger").unsigned_integer(held.last);
  json.key("contracts");
  write_contracts(json, held.contracts);
  json.end_object();
  return body;
}

void read_ledger(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  check_min_version(*request, parameters);
  const std::optional<std::uint64_t> ledger = core::parse_u64(request->path_parameters[0]);
  if (!ledger) parameters.add_problem("ledger", "must be a whole number.");
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  if (*ledger > std::numeric_limits<std::uint32_t>::max()) return respond(problem(404, no_such_ledger, *request));

  const auto number = static_cast<std::uint32_t>(*ledger);
  context.ledgers.up_to(
      number, min_version(*request),
      [request, number, respond = std::move(respond)](ports::StoreResult<ports::LedgerAnswer> answer) {
        if (!answer) return respond(store_problem(answer.error(), *request));
        if (auto refusal = refuse_stale(*request, answer->at.head_seq)) return respond(std::move(*refusal));
        if (!answer->held) return respond(problem(404, no_such_ledger, *request));
        net::Response response;
        response.headers.emplace_back("Cache-Control", "no-cache");
        response.body = ledger_text(number, *answer->held);
        add_cursor_header(response, answer->at.epoch, answer->at.head_seq);
        respond(std::move(response));
      });
}

}  // namespace

void add_ledger_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/ledgers/{ledger}",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               read_ledger(context, request, std::move(respond));
             });
}

}  // namespace fluxora::api
