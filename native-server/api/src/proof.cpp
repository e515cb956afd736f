#include <string>
#include <utility>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "fluxora/core/stream.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

net::Response storage_problem(ports::StorageFailure failure, const net::Request& request) {
  const bool busy = failure == ports::StorageFailure::busy;
  net::Response response = problem(503,
                                   busy ? "Too many proofs are asked for at once. Try again shortly."
                                        : "The chain can't be asked at the moment. Try again shortly.",
                                   request);
  response.headers.emplace_back("Retry-After", busy ? "1" : "5");
  return response;
}

net::Response without_chain(const net::Request& request) {
  net::Response response = problem(503, "This server has no Stellar RPC that it could ask for a proof.", request);
  response.headers.emplace_back("Retry-After", "300");  // until whoever runs it has changed that
  return response;
}

void write_entry(core::JsonWriter& json, const ports::StorageEntry& entry) {
  json.begin_object();
  json.key("key").string(core::base64_encode(entry.key));
  json.key("xdr").string(core::base64_encode(entry.xdr));
  json.key("lastModifiedLedger").unsigned_integer(entry.last_modified_ledger);
  if (entry.live_until_ledger) json.key("liveUntilLedger").unsigned_integer(*entry.live_until_ledger);
  json.end_object();
}

void write_ledger(core::JsonWriter& json, const core::LedgerHeader& ledger) {
  json.begin_object();
  json.key("sequence").unsigned_integer(ledger.sequence);
  json.key("hash").string(core::hex_encode(ledger.hash));
  json.key("closedAt").string(core::format_rfc3339(ledger.closed_at));
  json.end_object();
}

net::Response proof_response(const core::Stream& stream, core::UnixSeconds at, const ports::StorageEntry& entry,
                             const core::LedgerHeader& ledger) {
  std::string body;
  body.reserve(4'096);
  core::JsonWriter json(body);
  json.begin_object();
  json.key("stream");
  write_stream_json(json, stream, at);
  json.key("entry");
  write_entry(json, entry);
  json.key("ledger");
  write_ledger(json, ledger);
  json.end_object();

  net::Response response;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

/// Asks the chain for the entry of a stream that there is.
void prove(const ApiContext& context, const std::shared_ptr<const net::Request>& request, ports::StreamAnswer found,
           net::Respond respond) {
  const auto key = core::stream_ledger_key(found.stream->id);
  if (!key) {
    return respond(
        problem(404, "A stream of the API is in no contract's storage: there is nothing to prove it by.", *request));
  }
  if (context.contract_storage == nullptr) return respond(without_chain(*request));
  context.contract_storage->read({*key}, [&context, request, found = std::move(found), respond = std::move(respond)](
                                             tl::expected<ports::StorageAnswer, ports::StorageFailure> storage) {
    if (!storage) return respond(storage_problem(storage.error(), *request));
    if (!storage->entries[0]) {
      return respond(problem(
          404, "The contract holds no entry of this stream: it was closed, or its entry has expired.", *request));
    }
    const core::UnixSeconds at = as_of(*found.stream, found.at, context.clock);
    net::Response response = proof_response(*found.stream, at, *storage->entries[0], storage->ledger);
    add_cursor_header(response, found.at.epoch, found.at.head_seq);
    respond(std::move(response));
  });
}

void read_proof(const ApiContext& context, const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  QueryParameters parameters(*request);
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  const std::string& id = request->path_parameters[0];
  if (!core::is_stream_id(id)) return respond(problem(404, "There is no such stream.", *request));
  context.streams.find(
      id, min_version(*request),
      [&context, request, respond = std::move(respond)](ports::StoreResult<ports::StreamAnswer> found) mutable {
        if (!found) return respond(store_problem(found.error(), *request));
        if (auto refusal = refuse_stale(*request, found->at.head_seq)) return respond(std::move(*refusal));
        if (!found->stream) return respond(problem(404, "There is no such stream.", *request));
        prove(context, request, std::move(*found), std::move(respond));
      });
}

}  // namespace

void add_proof_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/streams/{id}/proof",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               read_proof(context, request, std::move(respond));
             });
}

}  // namespace fluxora::api
