#include "fluxora/telemetry/finished_span.hpp"

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/json_writer.hpp"

namespace fluxora::telemetry {
namespace {

// Numbers of opentelemetry/proto/trace/v1/trace.proto.
constexpr std::int64_t status_error = 2;

std::int64_t number_of(ports::SpanKind kind) {
  switch (kind) {
    case ports::SpanKind::server: return 2;
    case ports::SpanKind::client: return 3;
    case ports::SpanKind::internal: break;
  }
  return 1;
}

void write_text(core::JsonWriter& json, std::string_view name, std::string_view value) {
  json.begin_object().key("key").string(name);
  json.key("value").begin_object().key("stringValue").string(value).end_object();
  json.end_object();
}

void write_attribute(core::JsonWriter& json, const Attribute& attribute) {
  if (const auto* text = std::get_if<std::string>(&attribute.value)) return write_text(json, attribute.name, *text);
  json.begin_object().key("key").string(attribute.name);
  json.key("value").begin_object().key("intValue");
  json.string(std::to_string(std::get<std::int64_t>(attribute.value))).end_object();
  json.end_object();
}

void write_span(core::JsonWriter& json, const FinishedSpan& span) {
  json.begin_object();
  json.key("traceId").string(core::hex_encode(span.context.trace));
  json.key("spanId").string(core::hex_encode(span.context.span));
  if (!span.context.state.empty()) json.key("traceState").string(span.context.state);
  if (span.parent) json.key("parentSpanId").string(core::hex_encode(*span.parent));
  json.key("flags").unsigned_integer(span.context.sampled ? 1 : 0);
  json.key("name").string(span.name);
  json.key("kind").integer(number_of(span.kind));
  json.key("startTimeUnixNano").string(std::to_string(span.start_ns));
  json.key("endTimeUnixNano").string(std::to_string(span.end_ns));
  json.key("attributes").begin_array();
  for (const Attribute& attribute : span.attributes) write_attribute(json, attribute);
  json.end_array();
  json.key("status").begin_object();
  if (span.failed) json.key("code").integer(status_error);
  json.end_object();
  json.end_object();
}

}  // namespace

std::string otlp_json(const Resource& resource, std::span<const FinishedSpan> spans) {
  std::string body;
  core::JsonWriter json(body);
  json.begin_object().key("resourceSpans").begin_array().begin_object();
  json.key("resource").begin_object().key("attributes").begin_array();
  write_text(json, "service.name", resource.service_name);
  write_text(json, "service.version", resource.service_version);
  write_text(json, "service.instance.id", resource.instance_id);
  json.end_array().end_object();
  json.key("scopeSpans").begin_array().begin_object();
  json.key("scope").begin_object().key("name").string("fluxora");
  json.key("version").string(resource.service_version).end_object();
  json.key("spans").begin_array();
  for (const FinishedSpan& span : spans) write_span(json, span);
  json.end_array();
  json.end_object().end_array();
  json.end_object().end_array().end_object();
  return body;
}

}  // namespace fluxora::telemetry
