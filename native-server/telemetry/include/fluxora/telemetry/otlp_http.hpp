#pragma once

#include <memory>
#include <string>

#include "fluxora/net/http_client.hpp"
#include "fluxora/net/http_message.hpp"
#include "fluxora/telemetry/span_exporter.hpp"

namespace fluxora::telemetry {

/// Where spans are sent, as OpenTelemetry's OTEL_EXPORTER_OTLP_… variables say it.
struct OtlpHttpOptions {
  std::string endpoint;       ///< http or https URL; /v1/traces is appended to its path
  net::HeaderFields headers;  ///< may hold a secret: never logged
  std::string ca_file;        ///< PEM bundle; empty: the system's
  int timeout_ms = 10'000;    ///< for one request
};

/// OTLP over HTTP with JSON bodies. 429, 502, 503, 504 and what breaks on the way is tried again; every other status
/// but 2xx refuses the batch. Throws std::invalid_argument for an endpoint that is no URL.
[[nodiscard]] std::unique_ptr<SpanTransport> make_otlp_http(OtlpHttpOptions options);

}  // namespace fluxora::telemetry
