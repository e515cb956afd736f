#include "rpc_server.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "fluxora/core/ledger_key.hpp"

namespace fluxora::simulation {
namespace {

/// What a JSON-RPC server answers instead of a result.
struct RpcError {
  int code;
  std::string message;
};

constexpr int invalid_request = -32600;
constexpr int method_not_found = -32601;
constexpr int internal_error = -32603;
constexpr std::uint32_t longest_lag = 6;

std::string joined(const std::vector<const std::string*>& items) {
  std::string text;
  for (const std::string* item : items) {
    if (!text.empty()) text += ',';
    text += *item;
  }
  return text;
}

/// The ledgers first..last of a tip's chain, as far as there are any.
std::vector<const Ledger*> stretch(const Ledger* tip, std::uint32_t first, std::uint32_t last) {
  std::vector<const Ledger*> ledgers;
  for (const Ledger* at = tip; at->parent != nullptr && at->header.sequence >= first; at = at->parent) {
    if (at->header.sequence <= last) ledgers.push_back(at);
  }
  std::reverse(ledgers.begin(), ledgers.end());
  return ledgers;
}

std::string cursor_after(std::uint32_t ledger) {
  std::string toid = std::to_string((std::uint64_t{ledger} + 1) << 32);
  return std::string(19 - toid.size(), '0') + toid + "-0000000000";
}

std::uint32_t ledger_of_cursor(const std::string& cursor) {
  return static_cast<std::uint32_t>(std::stoull(cursor.substr(0, 19)) >> 32);
}

}  // namespace

net::HttpClientResponse RpcServer::answer(std::string_view body) {
  ++answers;
  fail_maybe();
  seen_ = tip;
  if (random_.permille(faults.lag)) {
    const std::uint64_t back = random_.between(1, longest_lag);
    for (std::uint64_t i = 0; i < back && seen_->parent != nullptr && seen_->parent->parent != nullptr; ++i) {
      seen_ = seen_->parent;
    }
  }
  const Json request = Json::parse(body);
  const std::string id = request["id"].dump();
  std::string text;
  try {
    const Json params = request.contains("params") ? request["params"] : Json::object();
    text = R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" +
           result_of(request["method"].get<std::string>(), params) + "}";
  } catch (const RpcError& error) {
    const Json said = {{"code", error.code}, {"message", error.message}};
    text = R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":)" + said.dump() + "}";
  }
  highest_shown = std::max(highest_shown, seen_->header.sequence);
  return {200, {}, spoil(text)};
}

void RpcServer::fail_maybe() {
  if (!random_.permille(faults.failure)) return;
  ++faults_done;
  using Kind = net::HttpClientError::Kind;
  static const std::vector<Kind> kinds = {Kind::resolve, Kind::connect,   Kind::tls,
                                          Kind::timeout, Kind::too_large, Kind::protocol};
  throw net::HttpClientError(random_.pick(kinds), "simulated trouble");
}

std::string RpcServer::result_of(const std::string& method, const Json& params) {
  if (method == "getNetwork") return R"({"passphrase":")" + seen_->network + R"("})";
  if (method == "getHealth") return health();
  if (method == "getEvents") return events(params);
  if (method == "getLedgers") return ledgers(params);
  if (method == "getLatestLedger") return latest_ledger();
  if (method == "getLedgerEntries") return entries(params);
  throw RpcError{method_not_found, "method not found"};
}

std::string RpcServer::window_text() const {
  const std::uint32_t latest = seen_->header.sequence;
  return R"("latestLedger":)" + std::to_string(latest) + R"(,"oldestLedger":)" +
         std::to_string(std::min(oldest, latest));
}

std::string RpcServer::health() {
  return R"({"status":"healthy",)" + window_text() + R"(,"ledgerRetentionWindow":1000})";
}

std::string RpcServer::events(const Json& params) {
  const auto limit = params["pagination"]["limit"].get<std::size_t>();
  const std::string after = params["pagination"].value("cursor", "");
  const std::uint32_t latest = seen_->header.sequence;
  const std::uint32_t first = after.empty() ? params["startLedger"].get<std::uint32_t>() : ledger_of_cursor(after);
  const std::uint32_t end = params.value("endLedger", latest + 1);
  if (first < oldest || first > latest) {
    throw RpcError{invalid_request, "startLedger must be within the ledger range: " + std::to_string(oldest) + " - " +
                                        std::to_string(latest)};
  }
  std::vector<std::string> contracts;
  for (const Json& filter : params["filters"]) {
    if (filter.contains("contractIds")) contracts = filter["contractIds"].get<std::vector<std::string>>();
  }

  std::vector<const std::string*> page;
  std::string cursor = cursor_after(std::min(end - 1, latest));
  for (const Ledger* ledger : stretch(seen_, first, end - 1)) {
    for (std::size_t i = 0; i < ledger->happenings.size() && page.size() < limit; ++i) {
      const ports::ChainEvent& event = ledger->happenings[i].event;
      const bool wanted =
          contracts.empty() || std::find(contracts.begin(), contracts.end(), event.contract_id) != contracts.end();
      if (!wanted || ledger->happenings[i].missed || event.event_id <= after) continue;
      page.push_back(&ledger->events_json[i]);
      if (page.size() == limit) cursor = event.event_id;
    }
  }
  return R"({"events":[)" + joined(page) + R"(],"cursor":")" + cursor + R"(",)" + window_text() + "}";
}

std::string RpcServer::ledgers(const Json& params) {
  const auto first = params["startLedger"].get<std::uint32_t>();
  auto limit = params["pagination"]["limit"].get<std::uint32_t>();
  const std::uint32_t latest = seen_->header.sequence;
  if (first < oldest || first > latest) {
    throw RpcError{invalid_request, "start ledger (" + std::to_string(first) +
                                        ") must be between the oldest ledger: " + std::to_string(oldest) +
                                        " and the latest ledger: " + std::to_string(latest) + " for this rpc instance"};
  }
  if (limit > 1 && random_.permille(faults.short_page)) limit = static_cast<std::uint32_t>(random_.between(1, limit));
  std::vector<const std::string*> page;
  for (const Ledger* ledger : stretch(seen_, first, first + limit - 1)) page.push_back(&ledger->header_json);
  return R"({"ledgers":[)" + joined(page) + R"(],"cursor":"0",)" + window_text() + "}";
}

std::string RpcServer::latest_ledger() {
  return R"({"id":")" + core::hex_encode(seen_->header.hash) + R"(","protocolVersion":22,"sequence":)" +
         std::to_string(seen_->header.sequence) + "}";
}

std::string RpcServer::entries(const Json& params) {
  Json found = Json::array();
  const auto put = [&](const core::Bytes& key, const core::Bytes& xdr, std::uint32_t last_modified) {
    found.push_back({{"key", core::base64_encode(key)},
                     {"xdr", core::base64_encode(xdr)},
                     {"lastModifiedLedgerSeq", last_modified}});
  };
  const auto is_asked_for = [&](const core::Bytes& key) {
    return std::find(params["keys"].begin(), params["keys"].end(), core::base64_encode(key)) != params["keys"].end();
  };
  for (const auto& [key, entry] : instances()) {
    if (is_asked_for(key)) put(key, entry.xdr, entry.last_modified_ledger);
  }
  for (const auto& [id, stream] : seen_->state.streams) {
    const core::Bytes key = *core::stream_ledger_key(id);
    if (stream.archived || !is_asked_for(key)) continue;  // a closed stream's entry is removed
    put(key, storage_entry(stream), seen_->state.modified.at(id));
  }
  return R"({"entries":)" + found.dump() + R"(,"latestLedger":)" + std::to_string(seen_->header.sequence) + "}";
}

std::string RpcServer::spoil(const std::string& text) {
  if (random_.permille(faults.garbage)) {
    ++faults_done;
    switch (random_.below(5)) {
      case 0: return "";
      case 1: return "<html>502 Bad Gateway</html>";
      case 2: return text.substr(0, text.size() / 2);
      case 3: return R"({"jsonrpc":"2.0","id":"another","result":{}})";
      default: return "[]";
    }
  }
  if (random_.permille(faults.nonsense)) {
    ++faults_done;
    return make_nonsense(text);
  }
  return text;
}

std::string RpcServer::make_nonsense(const std::string& text) {
  Json answer = Json::parse(text);
  if (!answer.contains("result")) return text;
  Json& result = answer["result"];
  for (const char* list : {"events", "ledgers"}) {
    if (!result.contains(list) || result[list].empty()) continue;
    Json& items = result[list];
    Json& item = items[static_cast<std::size_t>(random_.below(items.size()))];
    const bool of_events = items.front().contains("txHash");
    switch (random_.below(6)) {
      case 0: items.push_back(items.front()); break;  // a duplicate
      case 1:
        items.push_back(items.front());
        items.erase(0);
        break;                                                            // out of order
      case 2: item.erase(of_events ? "contractId" : "headerXdr"); break;  // a field is missing
      case 3: item[of_events ? "txHash" : "hash"] = "abc"; break;
      case 4: item[of_events ? "ledger" : "sequence"] = 3; break;  // contradicts its id, or nobody asked
      default: item[of_events ? "value" : "headerXdr"] = "!"; break;
    }
    return answer.dump();
  }
  switch (random_.below(3)) {
    case 0: result = nullptr; break;
    case 1: result = Json::array(); break;
    default: answer["error"] = {{"code", internal_error}, {"message", "[database] simulated"}};
  }
  return answer.dump();
}

}  // namespace fluxora::simulation
