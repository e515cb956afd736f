#pragma once

#include <string_view>

#include "fluxora/net/http_client.hpp"

namespace fluxora::chain {

/// What carries a JSON-RPC request to the server and its answer back: HTTP, or whatever a test puts there. One thread
/// at a time, but for cancel().
class RpcTransport {
 public:
  virtual ~RpcTransport() = default;

  /// Any status is an answer. Throws net::HttpClientError.
  virtual net::HttpClientResponse post(std::string_view body, const net::HeaderFields& headers) = 0;

  /// Ends the request under way, and every later one, with Kind::cancelled. From any thread.
  virtual void cancel() noexcept = 0;
};

}  // namespace fluxora::chain
