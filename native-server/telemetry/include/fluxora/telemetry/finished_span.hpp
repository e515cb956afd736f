#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fluxora/ports/tracing.hpp"
#include "fluxora/telemetry/trace_context.hpp"

namespace fluxora::telemetry {

struct Attribute {
  std::string name;
  std::variant<std::string, std::int64_t> value;
};

/// A piece of work that is done, as it goes to the collector.
struct FinishedSpan {
  TraceContext context;
  std::optional<SpanId> parent;  ///< none: the trace begins here
  ports::SpanKind kind = ports::SpanKind::internal;
  std::string name;
  std::int64_t start_ns = 0;  ///< of Unix time
  std::int64_t end_ns = 0;
  std::vector<Attribute> attributes;
  bool failed = false;
};

/// Who sends the spans: OpenTelemetry's `service.*`.
struct Resource {
  std::string service_name;
  std::string service_version;
  std::string instance_id;
};

/// The body of an OTLP/HTTP export (ExportTraceServiceRequest) as JSON: ids in hexadecimal, 64-bit integers as texts.
[[nodiscard]] std::string otlp_json(const Resource& resource, std::span<const FinishedSpan> spans);

}  // namespace fluxora::telemetry
