#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fluxora::ports {

/// OpenTelemetry's kinds of work: within the service, asked of it, asked by it of others.
enum class SpanKind : std::uint8_t { internal, server, client };

/// A piece of work under way that is being traced; its destructor ends it. On the thread that began it only, where
/// nothing else is said.
class Span {
 public:
  virtual ~Span() = default;
  /// Attributes as OpenTelemetry names them. Never a secret.
  virtual void set(std::string_view name, std::string_view value) = 0;
  virtual void set(std::string_view name, std::int64_t value) = 0;
  /// It went wrong: a short stable name of how, for `error.type`.
  virtual void fail(std::string_view error_type) = 0;
  /// The header that tells a service that is asked whose trace it belongs to. W3C Trace Context.
  [[nodiscard]] virtual std::string traceparent() const = 0;
};

/// Begins spans for threads that do one thing after the other: spans nest on their thread.
class Tracer {
 public:
  virtual ~Tracer() = default;
  /// The beginning of a trace. Null: this one isn't traced.
  [[nodiscard]] virtual std::unique_ptr<Span> start(SpanKind kind, std::string_view name) = 0;
  /// The same for work that goes on beside others of its thread and may end on another, one thread at a time: no part
  /// of what the thread is at, and nothing is a part of it. `parent`: what Span::traceparent gave of the work that this
  /// is a part of, wherever and whenever that was; null where that wasn't traced. Without a good one a trace begins.
  [[nodiscard]] virtual std::unique_ptr<Span> start_detached(SpanKind kind, std::string_view name,
                                                             std::string_view parent) = 0;
  /// A part of what the thread is at. Null where that isn't traced.
  [[nodiscard]] virtual std::unique_ptr<Span> start_part(SpanKind kind, std::string_view name) = 0;
};

}  // namespace fluxora::ports
