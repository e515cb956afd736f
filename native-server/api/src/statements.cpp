#include <algorithm>
#include <string>
#include <utility>

#include "content_negotiation.hpp"
#include "fluxora/core/strkey.hpp"
#include "long_read.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "statement_text.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

/// The statement's text: a page of the snapshot makes a piece of the body.
class StatementBody final : public net::BodyStream {
 public:
  StatementBody(std::shared_ptr<ports::Statement> statement, std::shared_ptr<StatementText> text)
      : statement_(std::move(statement)), text_(std::move(text)) {}

  void next(net::GivePiece give) override {
    // Holds the text alone: when the client has gone the statement must go at once, and its snapshot with it.
    statement_->next([text = text_, give = std::move(give)](ports::StoreResult<ports::StatementPage> page) {
      if (!page) return give({{}, net::BodyPiece::State::failed});
      give({text->piece(*page), page->last ? net::BodyPiece::State::last : net::BodyPiece::State::more});
    });
  }

 private:
  std::shared_ptr<ports::Statement> statement_;
  std::shared_ptr<StatementText> text_;
};

/// The parameter `format`, or else what Accept likes better; JSON where it likes both the same.
StatementFormat read_format(const net::Request& request, QueryParameters& parameters) {
  const auto named = parameters.text("format");
  if (named && *named != "json" && *named != "csv") parameters.add_problem("format", "must be json or csv.");
  if (named) return *named == "csv" ? StatementFormat::csv : StatementFormat::json;
  return accepted_quality(request, "text", "csv") > accepted_quality(request, "application", "json")
             ? StatementFormat::csv
             : StatementFormat::json;
}

net::Response statement_response(StatementFormat format, StatementHead head,
                                 std::shared_ptr<ports::Statement> statement) {
  net::Response response;
  if (format == StatementFormat::csv) {
    response.content_type = "text/csv; charset=utf-8; header=present";
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"fluxora-statement.csv\"");
  }
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Vary", "Accept");
  const ports::ReadPoint& at = statement->at().at;
  add_cursor_header(response, at.epoch, at.head_seq);
  auto text = std::make_shared<StatementText>(format, std::move(head));
  response.body = std::make_shared<StatementBody>(std::move(statement), std::move(text));
  return response;
}

constexpr std::string_view not_before_to = "must be before to.";

void read_statement(const ApiContext& context, const std::shared_ptr<const net::Request>& request,
                    net::Respond respond) {
  QueryParameters parameters(*request);
  ports::StatementQuery query;
  query.account = request->path_parameters[0];
  if (!core::is_stream_party(query.account)) parameters.add_problem("address", not_an_address);
  query.from = parameters.number("from", 0, core::last_rfc3339_second);
  query.to = parameters.number("to", 1, core::last_rfc3339_second);
  query.now = static_cast<core::UnixSeconds>(context.clock.now() / 1000);
  const StatementFormat format = read_format(*request, parameters);
  if (query.to && query.from.value_or(0) >= *query.to) parameters.add_problem("from", not_before_to);
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }

  auto answer = [request, format, from = query.from, head = StatementHead{query.account, 0, query.to.value_or(0), 0},
                 respond = std::move(respond)](ports::StoreResult<std::shared_ptr<ports::Statement>> begun) mutable {
    if (!begun) return respond(long_read_problem(begun.error(), *request));
    const ports::StatementStart& start = (*begun)->at();
    if (auto refusal = refuse_stale(*request, start.at.head_seq)) return respond(std::move(*refusal));
    head.from = from.value_or(start.known_from);
    if (head.from < start.known_from) {
      return respond(validation_problem(*request, {before_known("from", start.known_from)}));
    }
    head.as_of = start.as_of;
    if (head.to == 0) head.to = start.settled;
    if (head.from >= head.to) {
      return respond(validation_problem(*request, {{"from", "VALIDATION_ERROR", std::string(not_before_to)}}));
    }
    respond(statement_response(format, std::move(head), std::move(*begun)));
  };
  context.accounts.statement(std::move(query), std::move(answer));
}

}  // namespace

void add_statement_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/accounts/{address}/statement",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               read_statement(context, request, std::move(respond));
             });
}

}  // namespace fluxora::api
