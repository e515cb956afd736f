#include <limits>
#include <string>

#include "fluxora/core/accrual.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

constexpr std::size_t min_points = 2;
constexpr std::size_t max_points = 1'000;
constexpr std::size_t default_points = 100;
constexpr std::size_t expected_point_bytes = 224;

/// Before its creation a stream has no status, and none of it has been streamed.
void write_point(core::JsonWriter& json, const ports::ScheduleMoment& moment) {
  const auto& state = moment.state;
  const core::Balances balances = state ? core::balances_at(*state, moment.at) : core::Balances{};
  json.begin_object();
  json.key("at").unix_seconds(moment.at);
  json.key("status");
  state ? json.string(core::shown_status(*state, moment.at)) : json.null();
  json.key("streamedAmount").amount(balances.streamed);
  json.key("withdrawableAmount").amount(balances.withdrawable);
  json.key("withdrawnAmount").amount(state ? state->withdrawn : core::Amount{});
  json.key("remainingAmount").amount(balances.remaining);
  json.end_object();
}

std::string schedule_text(const ports::ScheduleAnswer& answer, core::UnixSeconds as_of) {
  std::string body;
  body.reserve(answer.moments.size() * expected_point_bytes + 256);
  core::JsonWriter json(body);
  json.begin_object();
  json.key("streamId").string(answer.stream->id);
  json.key("from").unix_seconds(answer.moments.front().at);
  json.key("to").unix_seconds(answer.moments.back().at);
  json.key("asOf").unix_seconds(as_of);
  json.key("points").begin_array();
  for (const ports::ScheduleMoment& moment : answer.moments) write_point(json, moment);
  json.end_array();
  json.end_object();
  return body;
}

void read_schedule(const ApiContext& context, const std::shared_ptr<const net::Request>& request,
                   net::Respond respond) {
  constexpr auto last_second = std::numeric_limits<core::UnixSeconds>::max();
  QueryParameters parameters(*request);
  core::ScheduleRange range;
  range.from = parameters.number("from", 0, last_second);
  range.to = parameters.number("to", 0, last_second);
  range.points = parameters.number("points", min_points, max_points).value_or(default_points);
  if (range.from && range.to && *range.from > *range.to) parameters.add_problem("from", "must not be after to.");
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  const std::string& id = request->path_parameters[0];
  if (!core::is_stream_id(id)) return respond(problem(404, "There is no such stream.", *request));

  context.schedules.schedule(
      id, range, min_version(*request),
      [&context, request, has_from = range.from.has_value(),
       respond = std::move(respond)](ports::StoreResult<ports::ScheduleAnswer> answer) {
        if (!answer) return respond(store_problem(answer.error(), *request));
        if (auto refusal = refuse_stale(*request, answer->at.head_seq)) return respond(std::move(*refusal));
        if (!answer->stream) return respond(problem(404, "There is no such stream.", *request));
        if (answer->known_from) {
          return respond(validation_problem(*request, {before_known(has_from ? "from" : "to", *answer->known_from)}));
        }
        net::Response response;
        response.headers.emplace_back("Cache-Control", "no-cache");
        response.body = schedule_text(*answer, as_of(*answer->stream, answer->at, context.clock));
        add_cursor_header(response, answer->at.epoch, answer->at.head_seq);
        respond(std::move(response));
      });
}

}  // namespace

void add_schedule_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/streams/{id}/schedule",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               read_schedule(context, request, std::move(respond));
             });
}

}  // namespace fluxora::api
