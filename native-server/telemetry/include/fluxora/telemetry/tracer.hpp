#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/net/http_message.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/tracing.hpp"
#include "fluxora/telemetry/span_exporter.hpp"

namespace fluxora::telemetry {

/// Shares of traces are counted in so many parts: 7 decimals.
inline constexpr std::uint32_t whole_share = 10'000'000;

/// What the log says of a request's trace.
struct TracedRequest {
  std::string trace_id;  ///< 32 hexadecimal digits
  std::string span_id;   ///< 16, or empty where the request made no span
};

/// Decides what is traced and makes the spans. Without an exporter it makes none and costs nothing.
class Tracer final : public ports::Tracer {
 public:
  /// `sampled_share` of whole_share of the traces that begin here are recorded; for a request with a parent, the
  /// parent's flag decides. `exporter` null: nothing is recorded. All outlive it.
  Tracer(SpanExporter* exporter, std::uint32_t sampled_share, const ports::Clock& clock, ports::Random& random);

  std::unique_ptr<ports::Span> start(ports::SpanKind kind, std::string_view name) override;
  std::unique_ptr<ports::Span> start_part(ports::SpanKind kind, std::string_view name) override;

  /// A request that was just answered: OpenTelemetry's HTTP server span. `path` and `request_id` are the request's
  /// without secrets; `route` its pattern, empty for none. From any thread. None: the request belongs to no trace.
  std::optional<TracedRequest> record_request(const net::Request& request, std::string_view path,
                                              std::string_view request_id, std::string_view route, unsigned status,
                                              std::chrono::microseconds duration);

 private:
  class LiveSpan;

  [[nodiscard]] std::optional<TraceContext> begin_trace();
  [[nodiscard]] SpanId new_span_id();

  SpanExporter* const exporter_;
  const std::uint32_t sampled_share_;
  const ports::Clock& clock_;
  ports::Random& random_;
};

/// A method as labels and spans name it: itself where HTTP knows it, or "_OTHER", so that their number is bounded.
[[nodiscard]] std::string_view known_method(std::string_view method) noexcept;

}  // namespace fluxora::telemetry
