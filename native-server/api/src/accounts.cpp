#include <string>

#include "fluxora/core/account_totals.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/strkey.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

void write_totals(core::JsonWriter& json, const core::TotalsByToken& totals) {
  json.begin_array();
  for (const auto& [token, of_token] : totals) {
    json.begin_object();
    json.key("token");
    token ? json.string(*token) : json.null();
    json.key("streams").unsigned_integer(of_token.streams);
    json.key("streamsByStatus").begin_object();
    for (std::size_t i = 0; i < core::shown_statuses.size(); ++i) {
      json.key(core::shown_statuses[i]).unsigned_integer(of_token.by_status[i]);
    }
    json.end_object();
    json.key("depositAmount").string(of_token.deposit.text());
    json.key("streamedAmount").string(of_token.streamed.text());
    json.key("withdrawnAmount").string(of_token.withdrawn.text());
    json.key("settledAmount").string(of_token.settled.text());
    json.key("withdrawableAmount").string(of_token.withdrawable.text());
    json.key("remainingAmount").string(of_token.remaining.text());
    json.end_object();
  }
  json.end_array();
}

std::string account_text(const std::string& account, const core::AccountTotals& totals) {
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  json.key("account").string(account);
  json.key("asOf").unix_seconds(totals.as_of);
  json.key("asSender");
  write_totals(json, totals.as_sender);
  json.key("asRecipient");
  write_totals(json, totals.as_recipient);
  json.end_object();
  return body;
}

void read_account(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  const std::string& account = request->path_parameters[0];
  if (!core::is_stream_party(account)) parameters.add_problem("address", not_an_address);
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  const auto now = static_cast<core::UnixSeconds>(context.clock.now() / 1000);
  context.accounts.totals(account, now, min_version(*request),
                          [request, respond = std::move(respond)](ports::StoreResult<ports::AccountAnswer> answer) {
                            if (!answer) return respond(store_problem(answer.error(), *request));
                            if (auto refusal = refuse_stale(*request, answer->at.head_seq))
                              return respond(std::move(*refusal));
                            net::Response response;
                            response.headers.emplace_back("Cache-Control", "no-cache");
                            response.body = account_text(request->path_parameters[0], answer->totals);
                            add_cursor_header(response, answer->at.epoch, answer->at.head_seq);
                            respond(std::move(response));
                          });
}

}  // namespace

void add_account_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/accounts/{address}",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               read_account(context, request, std::move(respond));
             });
}

}  // namespace fluxora::api
