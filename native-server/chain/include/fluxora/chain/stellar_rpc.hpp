#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fluxora/chain/rpc_breaker.hpp"
#include "fluxora/chain/rpc_transport.hpp"
#include "fluxora/net/http_client.hpp"
#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/contract_storage.hpp"
#include "fluxora/ports/tracing.hpp"

namespace fluxora::chain {

/// getEvents takes 5 filters of 5 contracts; more would need several answers merged.
inline constexpr std::size_t max_contracts = 25;

/// Most ledgers one getEvents call looks through (the server's own limit).
inline constexpr std::uint32_t max_event_span = 10'000;

struct StellarRpcOptions {
  std::string url;                     ///< http or https
  std::vector<std::string> contracts;  ///< at most max_contracts; empty: every contract's events
  std::size_t event_page = 2'000;      ///< events an answer; the server allows 10,000
  net::HttpClientOptions http;
  RpcBreaker* breaker = nullptr;    ///< keeps calls from a server that doesn't answer; shared by all who call it
  ports::Tracer* tracer = nullptr;  ///< a span a call, where the calling thread is at something that is traced
};

/// Calls since the start. From any thread.
struct StellarRpcStatistics {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;  ///< of them: no answer, or one that is an error or makes no sense
};

/// A Stellar RPC server (JSON-RPC over HTTP) as a chain source. SPEC section 9.
/// Every answer is checked before it is believed: ids against their ledgers, order, hashes, base64; one that can't be
/// right is ChainError::Kind::nonsense and names the field. Retrying is the caller's; with a breaker, errors say when.
class StellarRpc final : public ports::ChainSource {
 public:
  /// Throws std::invalid_argument for a bad URL or too many contracts.
  explicit StellarRpc(StellarRpcOptions options);
  /// The same over another transport than HTTP; the URL only names the server in traces.
  StellarRpc(StellarRpcOptions options, std::unique_ptr<RpcTransport> transport);
  ~StellarRpc() override;

  std::string network_passphrase() override;
  ports::LedgerWindow window() override;
  ports::EventBatch events(std::uint32_t first, std::uint32_t last) override;
  std::vector<ports::LedgerHeader> ledgers(std::uint32_t first, std::uint32_t last) override;
  ports::StorageAnswer contract_data(const std::vector<core::Bytes>& keys) override;
  void cancel() noexcept override;
  [[nodiscard]] StellarRpcStatistics statistics() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::chain
