#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "access.hpp"
#include "entity_tag.hpp"
#include "fluxora/core/cursor.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/sha256.hpp"
#include "fluxora/core/stream.hpp"
#include "json_body.hpp"
#include "json_fields.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

using RequestPointer = std::shared_ptr<const net::Request>;

constexpr std::size_t max_key_length = 128;

core::UnixSeconds seconds_now(const ApiContext& context) {
  return static_cast<core::UnixSeconds>(context.clock.now() / 1000);
}

// --- answers

void add_version_header(net::Response& response, std::uint64_t version) {
  response.headers.emplace_back("X-Fluxora-Version", std::to_string(version));
}

net::Response written_response(const ports::WrittenStream& written) {
  net::Response response;
  response.headers.emplace_back("ETag", stream_etag(written.epoch, written.stream.version, written.as_of));
  response.headers.emplace_back("Cache-Control", "no-cache");
  add_version_header(response, written.stream.version);
  add_cursor_header(response, written.epoch, written.stream.version);
  std::string body;
  body.reserve(1'024);
  core::JsonWriter json(body);
  write_stream_json(json, written.stream, written.as_of);
  response.body = std::move(body);
  return response;
}

net::Response refusal_response(ports::WriteRefusal refusal, const net::Request& request) {
  switch (refusal) {
    case ports::WriteRefusal::unknown_stream: return problem(404, "There is no such stream.", request);
    case ports::WriteRefusal::final_stream:
      return problem(409, "The stream is completed or cancelled, which nothing changes any more.", request);
    case ports::WriteRefusal::version_mismatch:
      return problem(412, "The stream has changed: If-Match names another version.", request);
    case ports::WriteRefusal::key_reused:
      return problem(422, "This Idempotency-Key was used with another body.", request,
                     {{"Idempotency-Key", "VALIDATION_ERROR", "was used with another body."}});
    case ports::WriteRefusal::key_in_use: break;
  }
  net::Response response = problem(409, "A request with this Idempotency-Key is still running.", request);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

void count_repeat(const ports::WriteAnswer& answer, IdempotencyCounters& counters) {
  if (answer && answer->replayed) ++counters.replayed;
  if (!answer && answer.error() == ports::WriteRefusal::key_reused) ++counters.reused;
  if (!answer && answer.error() == ports::WriteRefusal::key_in_use) ++counters.in_use;
}

net::Response creation_response(const ApiContext& context, const ports::WriteAnswer& answer,
                                const net::Request& request) {
  count_repeat(answer, *context.idempotency);
  if (!answer) return refusal_response(answer.error(), request);
  net::Response response = written_response(*answer);
  response.status = 201;
  response.headers.emplace_back("Location", "/api/streams/" + answer->stream.id);
  if (answer->replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
  return response;
}

// --- create

/// `api-` and a UUID of version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, 74 of chance.
std::string new_stream_id(core::UnixMillis now, ports::Random& random) {
  std::array<std::uint8_t, 16> uuid{};
  random.fill(uuid);
  for (std::size_t i = 0; i < 6; ++i) uuid[i] = static_cast<std::uint8_t>(now >> (40 - 8 * i));
  uuid[6] = static_cast<std::uint8_t>(0x70 | (uuid[6] & 0x0f));
  uuid[8] = static_cast<std::uint8_t>(0x80 | (uuid[8] & 0x3f));
  std::string id = "api-" + core::hex_encode(uuid);
  for (const std::size_t dash : {12u, 17u, 22u, 27u}) id.insert(dash, 1, '-');
  return id;
}

/// start + ceil(deposit / rate), both positive; none above u64.
std::optional<core::UnixSeconds> natural_end(core::UnixSeconds start, core::Amount deposit, core::Amount rate) {
  const auto seconds = core::divide_units(deposit.units, rate.units, core::Rounding::ceiling);
  const core::UnixSeconds room = std::numeric_limits<core::UnixSeconds>::max() - start;
  if (!seconds || *seconds > static_cast<core::Int128>(room)) return std::nullopt;
  return start + static_cast<core::UnixSeconds>(*seconds);
}

void require_positive(JsonFields& fields, std::string_view name, const std::optional<core::Amount>& amount) {
  if (amount && amount->units <= 0) fields.add_problem(name, "must be greater than 0.");
}

/// The end that the caller gives, or the one that follows from deposit and rate where those are good.
std::optional<core::UnixSeconds> read_end(JsonFields& fields, core::UnixSeconds start,
                                          const std::optional<core::Amount>& deposit,
                                          const std::optional<core::Amount>& rate) {
  if (const auto given = fields.seconds("endTime")) return given;
  if (fields.has_problem("endTime") || !deposit || !rate || deposit->units <= 0 || rate->units <= 0)
    return std::nullopt;
  const auto end = natural_end(start, *deposit, *rate);
  if (!end) fields.add_problem("endTime", "would be above 18446744073709551615 by the deposit and the rate.");
  return end;
}

/// SPEC section 5, "Create". What is wrong is in `fields` afterwards.
core::StreamCreated read_terms(JsonFields& fields, core::UnixSeconds now) {
  const auto sender = fields.address("sender");
  const auto recipient = fields.address("recipient");
  if (sender && recipient && *sender == *recipient) fields.add_problem("recipient", "must not be the sender.");
  const auto deposit = fields.amount("depositAmount");
  require_positive(fields, "depositAmount", deposit);
  const auto rate = fields.amount("ratePerSecond");
  require_positive(fields, "ratePerSecond", rate);

  const core::UnixSeconds start = fields.seconds("startTime").value_or(now);
  const core::UnixSeconds cliff = fields.seconds("cliffTime").value_or(start);
  if (fields.has_problem("startTime")) {
    fields.seconds("endTime");  // its own form is still looked at; what depends on the start isn't
    return {};
  }
  const auto end = read_end(fields, start, deposit, rate);
  if (end && *end <= start) fields.add_problem("endTime", "must be after startTime.");
  const bool before_start = cliff < start;
  const bool after_end = end && *end > start && cliff > *end;
  if ((before_start || after_end) && !fields.has_problem("cliffTime")) {
    fields.add_problem("cliffTime", "must be from startTime to endTime.");
  }
  return {sender.value_or(""),
          recipient.value_or(""),
          deposit.value_or(core::Amount{}),
          rate.value_or(core::Amount{}),
          start,
          cliff,
          end.value_or(0)};
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' || c == '-';
}

bool is_idempotency_key(std::string_view text) {
  return !text.empty() && text.size() <= max_key_length && std::all_of(text.begin(), text.end(), is_key_character);
}

void create_stream(const ApiContext& context, const Caller& caller, const RequestPointer& request,
                   net::Respond respond) {
  auto problems = QueryParameters(*request).problems();
  std::optional<ports::IdempotencyKey> key;
  if (const auto text = request->header("Idempotency-Key")) {
    if (!is_idempotency_key(*text)) {
      problems.push_back({"Idempotency-Key", "VALIDATION_ERROR", "must be 1 to 128 of A-Z a-z 0-9 : _ -."});
    }
    key = {caller.id, std::string(*text), core::sha256(core::as_bytes(request->body))};
  }
  auto body = read_json_object(*request);
  if (auto* wrong = std::get_if<net::Response>(&body)) return respond(std::move(*wrong));

  ports::StreamCreation creation;
  creation.now = seconds_now(context);
  JsonFields fields(std::get<nlohmann::json>(body));
  creation.terms = read_terms(fields, creation.now);
  const bool request_is_good = problems.empty();
  for (FieldProblem& problem : std::move(fields).problems()) problems.push_back(std::move(problem));

  if (!problems.empty()) {
    net::Response refusal = validation_problem(*request, problems);
    if (!key || !request_is_good) return respond(std::move(refusal));
    // What was good when it first came may be wrong by now (an end that has passed, where the start is "now"): then
    // its answer is still the first one's.
    return context.writer.find_creation(
        std::move(*key), [&context, request, refusal = std::move(refusal),
                          respond = std::move(respond)](ports::StoreResult<std::optional<ports::WriteAnswer>> earlier) {
          if (!earlier) return respond(store_problem(earlier.error(), *request));
          respond(*earlier ? creation_response(context, **earlier, *request) : refusal);
        });
  }
  creation.id = new_stream_id(context.clock.now(), context.random);
  creation.idempotency = std::move(key);
  creation.by = audit_record(caller, *request);
  creation.traceparent = request->traceparent;
  context.writer.create(std::move(creation), [&context, request, respond = std::move(respond)](
                                                 ports::StoreResult<ports::WriteAnswer> answer) {
    respond(answer ? creation_response(context, *answer, *request) : store_problem(answer.error(), *request));
  });
}

// --- pause, resume, cancel

/// The versions that an If-Match names: none where there is no such header, or it is `*`. By strong comparison (RFC
/// 9110 section 13.1.1) a weak tag matches nothing; so does one that isn't ours. False where it is no list of tags.
bool read_if_match(const net::Request& request, std::optional<std::vector<ports::StreamVersion>>& versions) {
  std::string list;
  for (const auto& [name, value] : request.headers) {
    if (!net::equal_ignoring_case(name, "If-Match")) continue;
    if (!list.empty()) list += ',';
    list += value;
    versions.emplace();
  }
  if (!versions) return true;
  if (list == "*") {
    versions.reset();
    return true;
  }
  const std::optional<std::vector<std::string_view>> tags = entity_tags(list);
  if (!tags) return false;
  for (const std::string_view tag : *tags) {
    if (tag.front() != '"') continue;  // weak
    // "<epoch>-<version>-<asOf>"; asOf moves by itself and doesn't count.
    const auto position = core::parse_cursor(tag.substr(1, std::min(tag.rfind('-'), tag.size() - 1) - 1));
    if (position) versions->push_back({position->epoch, position->seq});
  }
  return true;
}

void change_api_stream(const ApiContext& context, const RequestPointer& request, ports::StreamChange change,
                       net::Respond respond) {
  context.writer.change(std::move(change),
                        [request, respond = std::move(respond)](ports::StoreResult<ports::WriteAnswer> answer) {
                          if (!answer) return respond(store_problem(answer.error(), *request));
                          respond(*answer ? written_response(**answer) : refusal_response(answer->error(), *request));
                        });
}

/// The chain decides about its own streams.
void refuse_chain_stream(const ApiContext& context, const RequestPointer& request, net::Respond respond) {
  context.streams.find(request->path_parameters[0], ports::newest,
                       [request, respond = std::move(respond)](ports::StoreResult<ports::StreamAnswer> found) {
                         if (!found) return respond(store_problem(found.error(), *request));
                         if (!found->stream) return respond(problem(404, "There is no such stream.", *request));
                         respond(problem(409, "The stream is the chain's: only its contract changes it.", *request));
                       });
}

void change_stream(const ApiContext& context, const Caller& caller, const RequestPointer& request,
                   std::optional<ports::StreamAction> action, std::vector<FieldProblem> problems,
                   net::Respond respond) {
  ports::StreamChange change;
  if (!read_if_match(*request, change.only_if)) {
    problems.push_back({"If-Match", "VALIDATION_ERROR", "must be * or a list of entity tags."});
  }
  for (FieldProblem& problem : QueryParameters(*request).problems()) problems.push_back(std::move(problem));
  if (!problems.empty()) return respond(validation_problem(*request, problems));

  change.id = request->path_parameters[0];
  change.action = *action;
  change.now = seconds_now(context);
  change.by = audit_record(caller, *request);
  change.traceparent = request->traceparent;
  if (!core::is_stream_id(change.id)) return respond(problem(404, "There is no such stream.", *request));
  if (change.id.rfind("api-", 0) != 0) return refuse_chain_stream(context, request, std::move(respond));
  change_api_stream(context, request, std::move(change), std::move(respond));
}

void patch_stream(const ApiContext& context, const Caller& caller, const RequestPointer& request,
                  net::Respond respond) {
  auto body = read_json_object(*request);
  if (auto* wrong = std::get_if<net::Response>(&body)) return respond(std::move(*wrong));
  JsonFields fields(std::get<nlohmann::json>(body));
  std::optional<ports::StreamAction> action;
  if (const std::string* status = fields.text("status")) {
    if (*status == "paused") action = ports::StreamAction::pause;
    if (*status == "active") action = ports::StreamAction::resume;
    if (!action) fields.add_problem("status", "must be paused or active.");
  }
  change_stream(context, caller, request, action, std::move(fields).problems(), std::move(respond));
}

void delete_stream(const ApiContext& context, const Caller& caller, const RequestPointer& request,
                   net::Respond respond) {
  change_stream(context, caller, request, ports::StreamAction::cancel, {}, std::move(respond));
}

using Write = void (*)(const ApiContext&, const Caller&, const RequestPointer&, net::Respond);

/// Every write comes by here: the one place that asks whether the caller may.
net::Handler writing(const ApiContext& context, Write write) {
  return guarded(context, Access::streams_write,
                 [&context, write](const Caller& caller, std::shared_ptr<const net::Request> request,
                                   net::Respond respond) { write(context, caller, request, std::move(respond)); });
}

}  // namespace

void add_stream_write_routes(net::Router& router, const ApiContext& context) {
  router.add("POST", "/api/streams", writing(context, create_stream));
  router.add("PATCH", "/api/streams/{id}", writing(context, patch_stream));
  router.add("DELETE", "/api/streams/{id}", writing(context, delete_stream));
}

}  // namespace fluxora::api
