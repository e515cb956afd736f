#include "fluxora/api/cors.hpp"

#include <algorithm>
#include <charconv>

namespace fluxora::api {
namespace {

constexpr std::string_view request_headers =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, traceparent, tracestate, "
    "X-API-Key, X-Fluxora-Min-Version, X-Request-Id";
constexpr std::string_view exposed_headers =
    "Allow, ETag, Idempotency-Replayed, Location, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, WWW-Authenticate, X-Fluxora-Cursor, X-Fluxora-Version, X-Request-Id";
/// How long a browser may go by a preflight: the most that Chromium takes is 7200.
constexpr std::string_view preflight_max_age_s = "600";

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool is_port(std::string_view text, unsigned default_port) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && text.front() != '0' && port <= 65'535 &&
         port != default_port;
}

/// An origin as browsers write it (RFC 6454 section 6.2): lower case, no default port, nothing behind it.
bool is_origin(std::string_view text) {
  const bool https = text.starts_with("https://");
  if (!https && !text.starts_with("http://")) return false;
  text.remove_prefix(https ? 8 : 7);
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || bracket < 3) return false;
    if (text.substr(1, bracket - 1).find_first_not_of("0123456789abcdef:.") != std::string_view::npos) return false;
    host_end = bracket + 1;
  } else {
    while (host_end < text.size() && is_host_character(text[host_end])) ++host_end;
  }
  if (host_end == 0) return false;
  if (host_end == text.size()) return true;
  const std::string_view port = text.substr(host_end + 1);
  return text[host_end] == ':' && !port.empty() && is_port(port, https ? 443 : 80);
}

std::string header_text(const net::Response& response, std::string_view name) {
  for (const auto& [field, value] : response.headers) {
    if (net::equal_ignoring_case(field, name)) return value;
  }
  return {};
}

}  // namespace

std::optional<CorsPolicy> CorsPolicy::parse(std::string_view text, std::string& wrong) {
  CorsPolicy policy;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    std::string_view item = text.substr(from, comma - from);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!is_origin(item)) {
      wrong = item;
      return std::nullopt;
    }
    policy.origins_.emplace_back(item);
    from = comma + 1;
  }
  return policy;
}

void CorsPolicy::apply(const net::Request& request, net::Response& response) const {
  const bool preflight = request.method == "OPTIONS" && request.header("Access-Control-Request-Method").has_value();
  // Whatever it is, the answer depends on who asks: a cache must not give one origin's to another.
  response.headers.emplace_back("Vary",
                                request.method == "OPTIONS" ? "Origin, Access-Control-Request-Method" : "Origin");
  const auto origin = request.header("Origin");
  if (!origin || std::find(origins_.begin(), origins_.end(), *origin) == origins_.end()) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", std::string(*origin));
  if (!preflight) {
    response.headers.emplace_back("Access-Control-Expose-Headers", std::string(exposed_headers));
    return;
  }
  if (std::string allow = header_text(response, "Allow"); !allow.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Methods", std::move(allow));
  }
  response.headers.emplace_back("Access-Control-Allow-Headers", std::string(request_headers));
  response.headers.emplace_back("Access-Control-Max-Age", std::string(preflight_max_age_s));
}

}  // namespace fluxora::api
