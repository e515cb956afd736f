#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "access.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/strkey.hpp"
#include "json_body.hpp"
#include "json_fields.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "scval_json_reader.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

using Json = nlohmann::json;
using RequestPointer = std::shared_ptr<const net::Request>;

constexpr std::size_t max_events = 100;  // SPEC section 9
// Soroban bounds an event's size, not its topics' number; contracts have a handful.
constexpr std::size_t max_topics = 100;
// A ledger closes before anyone tells of it; clocks differ a little.
constexpr core::UnixMillis clock_tolerance_ms = 60'000;
constexpr std::uint32_t last_ledger = std::numeric_limits<std::uint32_t>::max();

std::string place(std::size_t event) {
  return "events[" + std::to_string(event) + "]";
}

void add_problem(std::vector<FieldProblem>& problems, std::size_t event, std::string_view field,
                 std::string_view message) {
  problems.push_back({place(event) + "." + std::string(field), "VALIDATION_ERROR", std::string(message)});
}

/// The ledger that an event id, `%019d-%010d` of a TOID and an index, belongs to. SPEC section 3.
std::optional<std::uint32_t> ledger_of_id(std::string_view id) {
  constexpr std::size_t toid_digits = 19;
  constexpr std::size_t index_digits = 10;
  if (id.size() != toid_digits + 1 + index_digits || id[toid_digits] != '-') return std::nullopt;
  std::uint64_t toid = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == toid_digits) continue;
    if (id[i] < '0' || id[i] > '9') return std::nullopt;
    if (i < toid_digits) toid = toid * 10 + static_cast<std::uint64_t>(id[i] - '0');  // 19 digits always fit
  }
  constexpr std::uint64_t max_toid = std::numeric_limits<std::int64_t>::max();
  return toid <= max_toid ? std::optional(static_cast<std::uint32_t>(toid >> 32)) : std::nullopt;
}

/// Reads one event. What is wrong with it is in `problems` afterwards.
class EventReader {
 public:
  EventReader(const ApiContext& context, const Json& event) : context_(context), fields_(event) {}

  ports::SentEvent read() {
    ports::SentEvent sent;
    ports::ChainEvent& event = sent.event;
    read_place(event);
    sent.ledger_hash = hash("ledgerHash");
    event.tx_hash = hash("txHash");
    read_contract(event);
    read_time(event);
    // Told, so that whoever sends can be asked, but the id alone says where an event belongs.
    for (const std::string_view name : {"txIndex", "operationIndex", "eventIndex"}) {
      fields_.number(name, 0, std::numeric_limits<std::uint32_t>::max());
    }
    event.in_successful_call = fields_.flag("inSuccessfulContractCall").value_or(true);
    read_topics(event);
    if (const Json* value = fields_.value("value")) event.value_xdr = scval("value", *value);
    return sent;
  }

  [[nodiscard]] std::vector<FieldProblem> problems() && { return std::move(fields_).problems(); }

 private:
  void read_place(ports::ChainEvent& event) {
    const auto ledger = fields_.number("ledger", 1, last_ledger);
    const std::string* id = fields_.text("eventId");
    if (ledger) event.ledger = static_cast<std::uint32_t>(*ledger);
    if (id == nullptr) return;
    event.event_id = *id;
    const auto of_id = ledger_of_id(*id);
    if (!of_id) {
      fields_.add_problem("eventId", "must be 19 digits, a hyphen and 10 digits, as Stellar RPC writes it.");
    } else if (ledger && *of_id != *ledger) {
      fields_.add_problem("eventId", "names ledger " + std::to_string(*of_id) + ", which isn't the event's.");
    }
  }

  core::Hash hash(std::string_view name) {
    const std::string* text = fields_.text(name);
    if (text == nullptr) return {};
    if (const auto hash = core::hash_from_hex(*text)) return *hash;
    fields_.add_problem(name, "must be a hash: 64 hexadecimal digits.");
    return {};
  }

  void read_contract(ports::ChainEvent& event) {
    const std::string* id = fields_.text("contractId");
    if (id == nullptr) return;
    event.contract_id = *id;
    const std::vector<std::string>& followed = context_.contracts;
    if (!core::is_contract_id(*id)) {
      fields_.add_problem("contractId", "must be a contract's address, C….");
    } else if (followed.front() != "*" && std::find(followed.begin(), followed.end(), *id) == followed.end()) {
      fields_.add_problem("contractId", "is " + *id + ", which isn't followed: CONTRACT_IDS doesn't name it.");
    }
  }

  void read_time(ports::ChainEvent& event) {
    const std::string* text = fields_.text("happenedAt");
    if (text == nullptr) return;
    const auto time = core::parse_rfc3339(*text);
    if (!time) return fields_.add_problem("happenedAt", "must be an RFC 3339 time in UTC: when the ledger closed.");
    const core::UnixMillis latest = context_.clock.now() + clock_tolerance_ms;
    if (latest < 0 || *time > static_cast<core::UnixSeconds>(latest) / 1'000) {
      return fields_.add_problem("happenedAt", "is in the future, by this service's clock.");
    }
    event.closed_at = *time;
  }

  void read_topics(ports::ChainEvent& event) {
    const Json* topics = fields_.array("topics");
    if (topics == nullptr) return;
    if (topics->size() > max_topics) {
      return fields_.add_problem("topics", "must be at most " + std::to_string(max_topics) + ".");
    }
    for (std::size_t i = 0; i < topics->size(); ++i) {
      event.topics_xdr.push_back(scval("topics[" + std::to_string(i) + "]", (*topics)[i]));
    }
  }

  core::Bytes scval(std::string_view name, const Json& value) {
    auto read = read_scval(value);
    if (auto* xdr = std::get_if<core::Bytes>(&read)) return std::move(*xdr);
    fields_.add_problem(name, std::get<NotAnScVal>(read).why);
    return {};
  }

  const ApiContext& context_;
  JsonFields fields_;
};

bool are_equal(const ports::SentEvent& a, const ports::SentEvent& b) {
  return a.event.contract_id == b.event.contract_id && a.event.tx_hash == b.event.tx_hash &&
         a.event.in_successful_call == b.event.in_successful_call && a.event.topics_xdr == b.event.topics_xdr &&
         a.event.value_xdr == b.event.value_xdr;
}

/// What the events of a batch can't all be together.
void check_agreement(const std::vector<ports::SentEvent>& batch, std::vector<FieldProblem>& problems) {
  std::map<std::uint32_t, std::size_t> ledgers;  // and their first events
  std::map<std::string, std::size_t> ids;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto [first, is_new] = ledgers.emplace(batch[i].event.ledger, i);
    const ports::SentEvent& other = batch[first->second];
    const std::string differs = "differs from " + place(first->second) + "'s, which is of the same ledger.";
    if (!is_new && batch[i].ledger_hash != other.ledger_hash) add_problem(problems, i, "ledgerHash", differs);
    if (!is_new && batch[i].event.closed_at != other.event.closed_at) add_problem(problems, i, "happenedAt", differs);
    const auto [same, first_time] = ids.emplace(batch[i].event.event_id, i);
    if (!first_time && !are_equal(batch[same->second], batch[i])) {
      add_problem(problems, i, "eventId", "is " + place(same->second) + "'s as well, and that is another event.");
    }
  }
  for (auto ledger = ledgers.begin(); ledger != ledgers.end(); ++ledger) {
    const auto next = std::next(ledger);
    if (next == ledgers.end() || batch[ledger->second].event.closed_at < batch[next->second].event.closed_at) continue;
    add_problem(problems, next->second, "happenedAt",
                "isn't later than " + place(ledger->second) + "'s, whose ledger is earlier.");
  }
}

/// The batch; what is wrong with it is in `problems` afterwards.
std::vector<ports::SentEvent> read_batch(const ApiContext& context, const Json& events,
                                         std::vector<FieldProblem>& problems) {
  std::vector<ports::SentEvent> batch;
  if (events.empty()) problems.push_back({"events", "VALIDATION_ERROR", "must have at least one event."});
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].is_object()) {
      problems.push_back({place(i), "VALIDATION_ERROR", "must be an object."});
      continue;
    }
    EventReader reader(context, events[i]);
    batch.push_back(reader.read());
    for (const FieldProblem& problem : std::move(reader).problems()) {
      add_problem(problems, i, problem.field, problem.message);
    }
  }
  // Of events that can't be read nothing follows for the others.
  if (problems.empty()) check_agreement(batch, problems);
  return batch;
}

void write_ids(core::JsonWriter& json, std::string_view name, const std::vector<std::string>& ids) {
  json.key(name).begin_array();
  for (const std::string& id : ids) json.string(id);
  json.end_array();
}

net::Response receipt_response(const ports::IntakeReceipt& receipt) {
  net::Response response;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Fluxora-Version", std::to_string(receipt.log_end.seq));
  add_cursor_header(response, receipt.log_end.epoch, receipt.log_end.seq);
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  json.key("insertedCount").unsigned_integer(receipt.inserted_ids.size());
  json.key("duplicateCount").unsigned_integer(receipt.duplicate_ids.size());
  write_ids(json, "insertedIds", receipt.inserted_ids);
  write_ids(json, "duplicateIds", receipt.duplicate_ids);
  json.end_object();
  response.body = std::move(body);
  return response;
}

net::Response refusal_response(const ports::IntakeRefusal& refusal, const net::Request& request) {
  if (refusal.reason != ports::IntakeRefusal::Reason::contradiction) return problem(409, refusal.message, request);
  std::vector<FieldProblem> problems;
  for (const ports::IntakeProblem& found : refusal.problems) {
    add_problem(problems, found.event, found.field, found.message);
  }
  return validation_problem(request, problems);
}

void take_events(const ApiContext& context, const Caller& caller, const RequestPointer& request, net::Respond respond) {
  if (context.intake == nullptr) {
    return respond(problem(409,
                           context.indexer != nullptr
                               ? "This service reads the chain itself, from STELLAR_RPC_URL: it takes no events."
                               : "No contract is followed: CONTRACT_IDS is not set.",
                           *request));
  }
  auto body = read_json_object(*request);
  if (auto* wrong = std::get_if<net::Response>(&body)) return respond(std::move(*wrong));
  auto problems = QueryParameters(*request).problems();
  JsonFields fields(std::get<Json>(body));
  const Json* events = fields.array("events");
  if (events != nullptr && events->size() > max_events) {
    return respond(problem(413, "A batch has at most " + std::to_string(max_events) + " events.", *request));
  }
  for (FieldProblem& problem : std::move(fields).problems()) problems.push_back(std::move(problem));
  std::vector<ports::SentEvent> batch;
  if (events != nullptr) batch = read_batch(context, *events, problems);
  if (!problems.empty()) return respond(validation_problem(*request, problems));

  ports::AuditRecord by = audit_record(caller, *request);
  by.action = "chain.ingest";
  context.intake->take(std::move(batch), std::move(by),
                       [request, respond = std::move(respond)](ports::StoreResult<ports::IntakeAnswer> answer) {
                         if (!answer) return respond(store_problem(answer.error(), *request));
                         respond(*answer ? receipt_response(**answer) : refusal_response(answer->error(), *request));
                       });
}

}  // namespace

void add_contract_event_routes(net::Router& router, const ApiContext& context) {
  router.add("POST", "/internal/indexer/contract-events",
             guarded(context, Access::indexer_write,
                     [&context](const Caller& caller, std::shared_ptr<const net::Request> request,
                                net::Respond respond) { take_events(context, caller, request, std::move(respond)); }));
}

}  // namespace fluxora::api
