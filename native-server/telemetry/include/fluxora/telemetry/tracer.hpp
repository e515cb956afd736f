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
#include "fluxora/telemetry/finished_span.hpp"
#include "fluxora/telemetry/span_exporter.hpp"
#include "fluxora/telemetry/trace_context.hpp"

namespace fluxora::telemetry {

/// Shares of traces are counted in so many parts: 7 decimals.
inline constexpr std::uint32_t whole_share = 10'000'000;

/// What the log says of a request's trace.
struct TracedRequest {
  std::string trace_id;  ///< 32 hexadecimal digits
  std::string span_id;   ///< 16, or empty where the request made no span
};

/// A request that has ended, as far as a span shows it. The texts are without credentials.
struct ServedRequest {
  std::string_view method;
  std::string_view path;
  std::string_view request_id;
  std::string_view client;       ///< its address
  std::string_view route;        ///< the pattern, empty for none
  std::string_view traceparent;  ///< what Tracer::begin_request gave
  unsigned status = 0;           ///< 0: no response was begun
  std::chrono::microseconds duration{};
  bool aborted = false;
};

/// Of a text in a span, so that a client can't fill the queue's memory with what it sends.
inline constexpr std::size_t max_attribute_bytes = 1024;

/// Decides what is traced and makes the spans. Without an exporter it makes none and costs nothing.
class Tracer final : public ports::Tracer {
 public:
  /// `sampled_share` of whole_share is recorded of the traces that begin here and of those that callers send who aren't
  /// trusted; a trusted caller's flag decides for its own. `exporter` null: nothing is recorded. All outlive it.
  Tracer(SpanExporter* exporter, std::uint32_t sampled_share, const ports::Clock& clock, ports::Random& random);

  std::unique_ptr<ports::Span> start(ports::SpanKind kind, std::string_view name) override;
  std::unique_ptr<ports::Span> start_detached(ports::SpanKind kind, std::string_view name,
                                              std::string_view parent) override;
  std::unique_ptr<ports::Span> start_part(ports::SpanKind kind, std::string_view name) override;

  /// A request whose head was read: the `traceparent` of its span, which work done for it may name as its parent, also
  /// behind its end. Its flag says whether it is recorded. Empty: the request belongs to no trace. From any thread.
  [[nodiscard]] std::string begin_request(const net::HeaderFields& headers, bool caller_is_trusted);

  /// A request that has just ended: OpenTelemetry's HTTP server span. `headers` are the request's. From any thread.
  /// None: the request belongs to no trace.
  std::optional<TracedRequest> record_request(const net::HeaderFields& headers, const ServedRequest& request);

 private:
  class OpenSpan;
  class NestedSpan;

  [[nodiscard]] TraceId new_trace_id();
  [[nodiscard]] std::optional<TraceContext> begin_trace();
  [[nodiscard]] std::optional<FinishedSpan> begin_span(ports::SpanKind kind, std::string_view name);
  [[nodiscard]] FinishedSpan part_of(TraceContext parent, ports::SpanKind kind, std::string_view name);
  [[nodiscard]] SpanId new_span_id();

  SpanExporter* const exporter_;
  const std::uint32_t sampled_share_;
  const ports::Clock& clock_;
  ports::Random& random_;
};

/// A method as labels and spans name it: itself where HTTP knows it, or "_OTHER", so that their number is bounded.
[[nodiscard]] std::string_view known_method(std::string_view method) noexcept;

}  // namespace fluxora::telemetry
