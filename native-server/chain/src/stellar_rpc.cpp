#include "fluxora/chain/stellar_rpc.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>

#include "rpc_answers.hpp"

namespace fluxora::chain {
namespace {

using ports::ChainError;

constexpr std::size_t contracts_a_filter = 5;
// A ledger's metadata can be megabytes, so pages of ledgers shrink when an answer is over the size bound.
constexpr std::uint32_t largest_ledger_page = 64;
// One ledger's events; Soroban's own limits are well below.
constexpr std::size_t max_events_a_ledger = 200'000;

// A ledger closes every few seconds and a look takes milliseconds: a second one is rare already.
constexpr int max_storage_attempts = 3;

/// JSON-RPC error codes of the server's for ledgers that it doesn't hold.
constexpr int invalid_request = -32600;
constexpr int invalid_params = -32602;
/// The server's own trouble. With any other code it has looked at the request: it is well.
constexpr int internal_error = -32603;

Json event_filters(const std::vector<std::string>& contracts) {
  Json filters = Json::array();
  for (std::size_t from = 0; from < contracts.size(); from += contracts_a_filter) {
    const std::size_t to = std::min(contracts.size(), from + contracts_a_filter);
    Json ids = Json::array();
    for (std::size_t i = from; i < to; ++i) ids.push_back(contracts[i]);
    filters.push_back({{"type", "contract"}, {"contractIds", ids}});
  }
  if (filters.empty()) filters.push_back({{"type", "contract"}});
  return filters;
}

std::vector<std::optional<ports::StorageEntry>> in_order_of(const std::vector<core::Bytes>& keys,
                                                            std::vector<ports::StorageEntry> found) {
  std::map<core::Bytes, std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) places.emplace(keys[i], i);
  std::vector<std::optional<ports::StorageEntry>> entries(keys.size());
  for (ports::StorageEntry& entry : found) {
    const auto place = places.find(entry.key);
    if (place == places.end() || entries[place->second]) {
      throw ChainError(ChainError::Kind::nonsense, "the RPC's answer has an entry that wasn't asked for");
    }
    entries[place->second] = std::move(entry);
  }
  return entries;
}

ChainError from_http(const net::HttpClientError& error) {
  const bool cancelled = error.kind() == net::HttpClientError::Kind::cancelled;
  return {cancelled ? ChainError::Kind::cancelled : ChainError::Kind::unreachable, error.what()};
}

std::string_view error_type(ChainError::Kind kind) {
  switch (kind) {
    case ChainError::Kind::cancelled: return "cancelled";
    case ChainError::Kind::outside_window: return "outside_window";
    case ChainError::Kind::nonsense: return "nonsense";
    case ChainError::Kind::unreachable: break;
  }
  return "unreachable";
}

int error_code(const Json& error) {
  if (!error.is_object()) return 0;
  const auto code = error.find("code");
  return code != error.end() && code->is_number_integer() ? code->get<int>() : 0;
}

[[noreturn]] void throw_rpc_error(const Json& error) {
  const int code = error_code(error);
  const std::string message = error.is_object() && error.contains("message") && error["message"].is_string()
                                  ? error["message"].get<std::string>()
                                  : std::string("an error without a message");
  const bool about_the_window =
      (code == invalid_request || code == invalid_params) &&
      (message.find("ledger range") != std::string::npos || message.find("oldest ledger") != std::string::npos);
  throw ChainError(about_the_window ? ChainError::Kind::outside_window : ChainError::Kind::unreachable,
                   "the RPC says: " + quotable(message));
}

/// How long the server wants to be left alone, where it says so.
ChainError from_status(const net::HttpClientResponse& response) {
  const std::string what = "the RPC answered HTTP " + std::to_string(response.status);
  const bool asks_for_rest = response.status == 429 || response.status == 503;
  const auto wait = asks_for_rest ? net::retry_after(response) : std::nullopt;
  return wait ? ChainError(ChainError::Kind::unreachable, what, *wait)
              : ChainError(ChainError::Kind::unreachable, what);
}

class HttpTransport final : public RpcTransport {
 public:
  HttpTransport(net::Url url, net::HttpClientOptions options)
      : http_(url, std::move(options)), target_(std::move(url.target)) {}

  net::HttpClientResponse post(std::string_view body, const net::HeaderFields& headers) override {
    return http_.post(target_, "application/json", body, headers);
  }
  void cancel() noexcept override { http_.cancel(); }

 private:
  net::HttpClient http_;
  std::string target_;
};

}  // namespace

class StellarRpc::Impl {
 public:
  Impl(StellarRpcOptions options, std::unique_ptr<RpcTransport> transport)
      : options_(std::move(options)),
        url_(net::parse_url(options_.url)),
        transport_(std::move(transport)),
        filters_(event_filters(options_.contracts)) {
    if (options_.contracts.size() > max_contracts) {
      throw std::invalid_argument("at most " + std::to_string(max_contracts) + " contracts can be followed");
    }
  }

  /// One call, counted and traced, where the breaker lets it through.
  Json call(const char* method, Json params) {
    if (options_.breaker != nullptr) options_.breaker->admit();
    ++calls_;
    std::unique_ptr<ports::Span> span;
    bool answered = false;
    try {
      span = begin_span(method);
      Json answer = exchange(method, std::move(params), span.get());
      const auto error = answer.find("error");
      answered = error == answer.end() || error_code(*error) != internal_error;
      if (answered) note_answer();
      if (error != answer.end()) throw_rpc_error(*error);
      const auto result = answer.find("result");
      if (result == answer.end()) throw ChainError(ChainError::Kind::nonsense, "the RPC's answer has no result");
      return std::move(*result);
    } catch (const ChainError& error) {
      note_error(span.get(), error_type(error.kind()));
      if (answered || options_.breaker == nullptr) throw;
      throw_with_pause(error);
    } catch (const net::HttpClientError&) {
      note_error(span.get(), "too_large");
      note_answer();
      throw;
    } catch (...) {
      // Not the server's doing; a trial must not stay open.
      if (options_.breaker != nullptr) options_.breaker->abandoned();
      throw;
    }
  }

  [[nodiscard]] StellarRpcStatistics statistics() const noexcept { return {calls_, errors_}; }

  /// The JSON-RPC response to a request, a good one or an error.
  Json exchange(const char* method, Json params, const ports::Span* span) {
    const std::string id = std::to_string(++last_id_);
    Json request = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
    if (!params.is_null()) request["params"] = std::move(params);

    net::HttpClientResponse response;
    try {
      net::HeaderFields headers;
      if (span != nullptr) headers.emplace_back("traceparent", span->traceparent());
      response = transport_->post(request.dump(), headers);
    } catch (const net::HttpClientError& error) {
      if (error.kind() == net::HttpClientError::Kind::too_large) throw;
      throw from_http(error);
    }
    if (response.status != 200) throw from_status(response);
    Json answer = parse_answer(response.body);
    if (!answer.is_object() || !answer.contains("id") || answer["id"] != id) {
      throw ChainError(ChainError::Kind::nonsense, "the RPC's answer is not the JSON-RPC response to the request");
    }
    return answer;
  }

  Json bounded_call(const char* method, Json params) {
    try {
      return call(method, std::move(params));
    } catch (const net::HttpClientError& error) {
      throw ChainError(ChainError::Kind::nonsense, error.what());
    }
  }

  ports::EventBatch events(std::uint32_t first, std::uint32_t last) {
    last = static_cast<std::uint32_t>(std::min<std::uint64_t>(last, std::uint64_t{first} + max_event_span - 1));
    const Json page = {{"limit", options_.event_page}};
    EventsAnswer answer = read_events(bounded_call("getEvents", {{"startLedger", first},
                                                                 {"endLedger", std::uint64_t{last} + 1},
                                                                 {"filters", filters_},
                                                                 {"pagination", page}}),
                                      first, last);

    if (answer.window.oldest > first) {
      throw ChainError(ChainError::Kind::outside_window, "the RPC has dropped ledger " + std::to_string(first));
    }
    refuse_other_contracts(answer);
    ports::EventBatch batch{std::move(answer.events), 0, answer.window};
    std::size_t items = answer.items;
    while (answer.items >= options_.event_page) {
      // A full page: its last ledger may go on in the next one.
      const std::uint32_t cut = batch.events.empty() ? first : batch.events.back().ledger;
      if (cut > first) {
        while (!batch.events.empty() && batch.events.back().ledger == cut) batch.events.pop_back();
        batch.complete_through = cut - 1;
        return batch;
      }
      // All of it is one ledger's: read on until the next begins. Without endLedger the page may look beyond.
      if (items > max_events_a_ledger) {
        throw ChainError(ChainError::Kind::nonsense, "the RPC's answer has more events than a ledger can hold");
      }
      const std::string cursor = std::move(answer.cursor);
      answer = read_events(
          bounded_call("getEvents",
                       {{"filters", filters_}, {"pagination", {{"limit", options_.event_page}, {"cursor", cursor}}}}),
          first, std::numeric_limits<std::uint32_t>::max());
      if (answer.items >= options_.event_page && answer.cursor == cursor) {
        throw ChainError(ChainError::Kind::nonsense, "the RPC's answer has a cursor that doesn't move");
      }
      refuse_other_contracts(answer);
      items += answer.items;
      for (ports::ChainEvent& event : answer.events) {
        if (event.ledger > last) {  // with that, all of first..last has been seen
          batch.complete_through = last;
          return batch;
        }
        if (!batch.events.empty() && event.event_id <= batch.events.back().event_id) {
          throw ChainError(ChainError::Kind::nonsense, "the RPC's answer has events out of order");
        }
        batch.events.push_back(std::move(event));
      }
    }
    // The server may be behind the one that told us the tip: what it has seen is complete, what lies above isn't.
    batch.complete_through = std::min(last, answer.window.latest);
    if (batch.complete_through < first) {
      throw ChainError(ChainError::Kind::unreachable, "the RPC hasn't seen the ledger that was asked for yet");
    }
    return batch;
  }

  std::vector<ports::LedgerHeader> ledgers(std::uint32_t first, std::uint32_t last) {
    std::vector<ports::LedgerHeader> headers;
    for (std::uint64_t next = first; next <= last; next = std::uint64_t{first} + headers.size()) {
      const auto wanted = std::min<std::uint64_t>(ledger_page_, last - next + 1);
      Json result;
      try {
        result = call("getLedgers", {{"startLedger", next}, {"pagination", {{"limit", wanted}}}});
      } catch (const net::HttpClientError& error) {
        if (ledger_page_ == 1) throw ChainError(ChainError::Kind::nonsense, error.what());
        ledger_page_ /= 2;
        continue;
      }
      const auto page = read_ledgers(result);
      if (page.empty()) throw ChainError(ChainError::Kind::unreachable, "the RPC hasn't seen the ledger yet");
      for (const ports::LedgerHeader& header : page) {
        if (header.sequence != std::uint64_t{first} + headers.size()) {
          throw ChainError(ChainError::Kind::nonsense, "the RPC's answer has ledgers out of order");
        }
        if (header.sequence > last) break;
        headers.push_back(header);
      }
    }
    return headers;
  }

  ports::StorageAnswer contract_data(const std::vector<core::Bytes>& keys) {
    Json wanted = Json::array();
    for (const core::Bytes& key : keys) wanted.push_back(core::base64_encode(key));
    // Entries come with a ledger's number alone. A reorg between two calls would give its number another hash: only
    // entries with the same hash before and after them are known to be of that ledger.
    LatestLedger before = read_latest_ledger(bounded_call("getLatestLedger", nullptr));
    for (int attempt = 0; attempt < max_storage_attempts; ++attempt) {
      EntriesAnswer found = read_entries(bounded_call("getLedgerEntries", {{"keys", wanted}}));
      const ports::LedgerHeader after = ledgers(found.ledger, found.ledger).front();
      if (after.sequence == before.sequence && after.hash == before.hash) {
        return {in_order_of(keys, std::move(found.entries)), after};
      }
      before = {after.sequence, after.hash};
    }
    throw ChainError(ChainError::Kind::unreachable, "the RPC was at another ledger at each look");
  }

  void cancel() noexcept { transport_->cancel(); }

 private:
  /// Only what was asked for is believed.
  void refuse_other_contracts(const EventsAnswer& answer) const {
    if (options_.contracts.empty()) return;
    for (const ports::ChainEvent& event : answer.events) {
      if (std::find(options_.contracts.begin(), options_.contracts.end(), event.contract_id) !=
          options_.contracts.end())
        continue;
      throw ChainError(ChainError::Kind::nonsense, "the RPC's answer has an event of a contract that wasn't asked for");
    }
  }

  /// Named and described as OpenTelemetry's conventions for RPC have it. The URL stays out: it may hold a key.
  std::unique_ptr<ports::Span> begin_span(const char* method) {
    if (options_.tracer == nullptr) return nullptr;
    auto span = options_.tracer->start_part(ports::SpanKind::client, method);
    if (!span) return nullptr;
    span->set("rpc.system", "jsonrpc");
    span->set("rpc.method", method);
    span->set("server.address", url_.host);
    span->set("server.port", std::int64_t{std::stol(url_.port)});
    return span;
  }

  void note_answer() {
    if (options_.breaker != nullptr) options_.breaker->succeeded();
  }

  [[noreturn]] void throw_with_pause(const ChainError& error) {
    if (error.kind() == ChainError::Kind::cancelled) {
      options_.breaker->abandoned();
      throw ChainError(error);
    }
    throw ChainError(error.kind(), error.what(), options_.breaker->failed(error.retry_in()));
  }

  void note_error(ports::Span* span, std::string_view type) {
    ++errors_;
    if (span != nullptr) span->fail(type);
  }

  StellarRpcOptions options_;
  net::Url url_;
  std::unique_ptr<RpcTransport> transport_;
  Json filters_;
  std::uint32_t ledger_page_ = largest_ledger_page;
  std::uint64_t last_id_ = 0;
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::uint64_t> errors_{0};
};

StellarRpc::StellarRpc(StellarRpcOptions options) {
  auto transport = std::make_unique<HttpTransport>(net::parse_url(options.url), options.http);
  impl_ = std::make_unique<Impl>(std::move(options), std::move(transport));
}
StellarRpc::StellarRpc(StellarRpcOptions options, std::unique_ptr<RpcTransport> transport)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(transport))) {}
StellarRpc::~StellarRpc() = default;

std::string StellarRpc::network_passphrase() {
  return read_passphrase(impl_->bounded_call("getNetwork", nullptr));
}
ports::LedgerWindow StellarRpc::window() {
  return read_window(impl_->bounded_call("getHealth", nullptr));
}
ports::EventBatch StellarRpc::events(std::uint32_t first, std::uint32_t last) {
  return impl_->events(first, last);
}
std::vector<ports::LedgerHeader> StellarRpc::ledgers(std::uint32_t first, std::uint32_t last) {
  return impl_->ledgers(first, last);
}
ports::StorageAnswer StellarRpc::contract_data(const std::vector<core::Bytes>& keys) {
  return impl_->contract_data(keys);
}
StellarRpcStatistics StellarRpc::statistics() const noexcept {
  return impl_->statistics();
}
void StellarRpc::cancel() noexcept {
  impl_->cancel();
}

}  // namespace fluxora::chain
