#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "chain.hpp"
#include "fluxora/net/http_client.hpp"
#include "random.hpp"

namespace fluxora::simulation {

/// What goes wrong with an RPC server's answers, in so many of a thousand.
struct RpcFaults {
  std::uint64_t failure = 0;     ///< no answer, an HTTP error, a JSON-RPC error
  std::uint64_t garbage = 0;     ///< text that is no answer: cut off, of another request, no JSON
  std::uint64_t nonsense = 0;    ///< an answer that can't be right: fields, order, duplicates, hashes
  std::uint64_t lag = 0;         ///< answers as of some ledgers ago
  std::uint64_t short_page = 0;  ///< fewer ledgers than asked for
};

/// A Stellar RPC server that sees the chain from one of its tips: JSON-RPC as text, in and out.
class RpcServer {
 public:
  explicit RpcServer(Random& random) : random_(random) {}

  /// Throws net::HttpClientError when there is no answer.
  net::HttpClientResponse answer(std::string_view body);

  const Ledger* tip = nullptr;
  std::uint32_t oldest = 1;  ///< where its window begins
  RpcFaults faults;
  std::uint32_t highest_shown = 0;  ///< the highest tip that it ever told of
  std::uint64_t answers = 0;
  std::uint64_t faults_done = 0;

 private:
  using Json = nlohmann::json;

  std::string result_of(const std::string& method, const Json& params);
  std::string health();
  std::string events(const Json& params);
  std::string ledgers(const Json& params);
  std::string latest_ledger();
  std::string entries(const Json& params);
  [[nodiscard]] std::string window_text() const;
  void fail_maybe();
  std::string spoil(const std::string& text);
  std::string make_nonsense(const std::string& text);

  Random& random_;
  const Ledger* seen_ = nullptr;  ///< the tip of this answer
};

}  // namespace fluxora::simulation
