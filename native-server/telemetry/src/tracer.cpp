#include "fluxora/telemetry/tracer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "fluxora/core/bytes.hpp"

namespace fluxora::telemetry {
namespace {

constexpr std::string_view other_method = "_OTHER";

/// The methods that OpenTelemetry's conventions know.
constexpr std::array<std::string_view, 9> methods = {"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                                     "DELETE", "OPTIONS", "TRACE", "CONNECT"};

/// The last 7 bytes of a trace id are its random part; so every service that goes by them decides alike.
std::uint64_t random_part(const TraceId& id) {
  std::uint64_t number = 0;
  for (std::size_t i = id.size() - 7; i < id.size(); ++i) number = number << 8 | id[i];
  return number;
}

bool is_sampled(const TraceId& id, std::uint32_t share) {
  // share / whole_share of 2^56, in integers: 2^56 * 10^7 needs more than 64 bits.
  constexpr std::uint64_t largest_part = std::uint64_t{1} << 56;
  const std::uint64_t below = largest_part / whole_share * share + largest_part % whole_share * share / whole_share;
  return random_part(id) < below;
}

/// Cut where it is long, not within a character: its continuation bytes are 10xxxxxx.
std::string attribute_text(std::string_view text) {
  if (text.size() <= max_attribute_bytes) return std::string(text);
  std::size_t end = max_attribute_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

/// OpenTelemetry's error.type; empty where our part went well.
std::string error_of(const ServedRequest& request) {
  if (request.aborted) return "aborted";
  return request.status >= 500 ? std::to_string(request.status) : std::string();
}

std::vector<Attribute> request_attributes(const ServedRequest& request) {
  const std::string_view method = known_method(request.method);
  std::vector<Attribute> attributes;
  attributes.reserve(9);
  attributes.push_back({"http.request.method", std::string(method)});
  if (method == other_method) attributes.push_back({"http.request.method_original", attribute_text(request.method)});
  if (!request.route.empty()) attributes.push_back({"http.route", std::string(request.route)});
  attributes.push_back({"url.scheme", "http"});
  attributes.push_back({"url.path", attribute_text(request.path)});
  if (request.status != 0) attributes.push_back({"http.response.status_code", std::int64_t{request.status}});
  attributes.push_back({"client.address", std::string(request.client)});
  attributes.push_back({"fluxora.request_id", std::string(request.request_id)});
  if (std::string error = error_of(request); !error.empty()) attributes.push_back({"error.type", std::move(error)});
  return attributes;
}

std::string request_name(std::string_view method, std::string_view route) {
  std::string name(method == other_method ? "HTTP" : method);
  if (!route.empty()) name.append(" ").append(route);
  return name;
}

}  // namespace

std::string_view known_method(std::string_view method) noexcept {
  const auto* known = std::find(methods.begin(), methods.end(), method);
  return known == methods.end() ? other_method : *known;
}

/// A span under way.
class Tracer::OpenSpan : public ports::Span {
 public:
  OpenSpan(Tracer& tracer, FinishedSpan span) : tracer_(tracer), span_(std::move(span)) {
    span_.start_ns = tracer_.clock_.now_ns();
  }
  ~OpenSpan() override {
    span_.end_ns = std::max(span_.start_ns, tracer_.clock_.now_ns());
    try {
      tracer_.exporter_->add(std::move(span_));
    } catch (...) {
      // Out of memory: the work matters more than its span.
      return;
    }
  }
  OpenSpan(const OpenSpan&) = delete;
  OpenSpan& operator=(const OpenSpan&) = delete;

  void set(std::string_view name, std::string_view value) override {
    span_.attributes.push_back({std::string(name), attribute_text(value)});
  }
  void set(std::string_view name, std::int64_t value) override {
    span_.attributes.push_back({std::string(name), value});
  }
  void fail(std::string_view error_type) override {
    span_.failed = true;
    set("error.type", error_type);
  }
  [[nodiscard]] std::string traceparent() const override { return format_traceparent(span_.context); }
  [[nodiscard]] const TraceContext& context() const noexcept { return span_.context; }

 private:
  Tracer& tracer_;
  FinishedSpan span_;
};

/// One that its thread is at. Those of a thread end in the reverse of the order in which they began.
class Tracer::NestedSpan final : public OpenSpan {
 public:
  NestedSpan(Tracer& tracer, FinishedSpan span)
      : OpenSpan(tracer, std::move(span)), outer_(std::exchange(current, this)) {}
  ~NestedSpan() override { current = outer_; }
  NestedSpan(const NestedSpan&) = delete;
  NestedSpan& operator=(const NestedSpan&) = delete;

  static thread_local NestedSpan* current;  ///< the innermost; null: nothing that is traced

 private:
  NestedSpan* outer_;
};

thread_local Tracer::NestedSpan* Tracer::NestedSpan::current = nullptr;

Tracer::Tracer(SpanExporter* exporter, std::uint32_t sampled_share, const ports::Clock& clock, ports::Random& random)
    : exporter_(exporter), sampled_share_(sampled_share), clock_(clock), random_(random) {}

SpanId Tracer::new_span_id() {
  SpanId id{};
  random_.fill(id);
  id[0] |= 1;  // an id of zeros would be none
  return id;
}

TraceId Tracer::new_trace_id() {
  TraceId id{};
  random_.fill(id);
  id[0] |= 1;
  return id;
}

/// A new trace that is to be recorded, or none.
std::optional<TraceContext> Tracer::begin_trace() {
  if (exporter_ == nullptr || sampled_share_ == 0) return std::nullopt;
  TraceContext context;
  context.trace = new_trace_id();
  context.sampled = is_sampled(context.trace, sampled_share_);
  if (!context.sampled) return std::nullopt;
  context.span = new_span_id();
  return context;
}

std::optional<FinishedSpan> Tracer::begin_span(ports::SpanKind kind, std::string_view name) {
  auto context = begin_trace();
  if (!context) return std::nullopt;
  FinishedSpan span;
  span.context = std::move(*context);
  span.kind = kind;
  span.name = name;
  return span;
}

std::unique_ptr<ports::Span> Tracer::start(ports::SpanKind kind, std::string_view name) {
  auto span = begin_span(kind, name);
  return span ? std::make_unique<NestedSpan>(*this, std::move(*span)) : nullptr;
}

FinishedSpan Tracer::part_of(TraceContext parent, ports::SpanKind kind, std::string_view name) {
  FinishedSpan span;
  span.parent = parent.span;
  span.context = std::move(parent);
  span.context.span = new_span_id();
  span.kind = kind;
  span.name = name;
  return span;
}

std::unique_ptr<ports::Span> Tracer::start_detached(ports::SpanKind kind, std::string_view name,
                                                    std::string_view parent) {
  if (auto context = parse_traceparent(parent)) {
    if (exporter_ == nullptr || !context->sampled) return nullptr;
    return std::make_unique<OpenSpan>(*this, part_of(std::move(*context), kind, name));
  }
  auto span = begin_span(kind, name);
  return span ? std::make_unique<OpenSpan>(*this, std::move(*span)) : nullptr;
}

std::unique_ptr<ports::Span> Tracer::start_part(ports::SpanKind kind, std::string_view name) {
  if (NestedSpan::current == nullptr) return nullptr;
  return std::make_unique<NestedSpan>(*this, part_of(NestedSpan::current->context(), kind, name));
}

std::string Tracer::begin_request(const net::HeaderFields& headers, bool caller_is_trusted) {
  auto context = read_trace_context(headers);
  if (context) {
    // A stranger's trace id doesn't decide either: it could be chosen to be within the share.
    if (!caller_is_trusted) context->sampled = is_sampled(new_trace_id(), sampled_share_);
    context->sampled = context->sampled && exporter_ != nullptr;
    context->span = new_span_id();
  } else {
    context = begin_trace();
  }
  return context ? format_traceparent(*context) : std::string();
}

std::optional<TracedRequest> Tracer::record_request(const net::HeaderFields& headers, const ServedRequest& request) {
  auto context = parse_traceparent(request.traceparent);
  if (!context) return std::nullopt;
  if (!context->sampled) return TracedRequest{core::hex_encode(context->trace), {}};
  FinishedSpan span;
  span.context = std::move(*context);
  if (auto parent = read_trace_context(headers)) {
    span.parent = parent->span;
    span.context.state = std::move(parent->state);
  }
  TracedRequest traced{core::hex_encode(span.context.trace), core::hex_encode(span.context.span)};
  span.kind = ports::SpanKind::server;
  span.name = request_name(known_method(request.method), request.route);
  span.end_ns = clock_.now_ns();
  span.start_ns = span.end_ns - std::chrono::nanoseconds(request.duration).count();
  span.attributes = request_attributes(request);
  span.failed = request.aborted || request.status >= 500;
  exporter_->add(std::move(span));
  return traced;
}

}  // namespace fluxora::telemetry
