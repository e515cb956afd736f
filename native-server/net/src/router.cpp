#include "fluxora/net/router.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace fluxora::net {

namespace {

/// Deeper paths match "/*" patterns only.
constexpr std::size_t max_segments = 16;

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}
bool is_rest(std::string_view segment) {
  return segment == "*";
}

std::vector<std::string> split_pattern(std::string_view pattern) {
  const auto refuse = [&](const char* why) {
    throw std::invalid_argument("route " + std::string(pattern) + ": " + why);
  };
  if (!pattern.starts_with('/')) refuse("must start with a slash");
  std::vector<std::string> segments;
  for (std::size_t from = 1;;) {
    const std::size_t slash = pattern.find('/', from);
    const std::string_view segment = pattern.substr(from, slash - from);
    const bool last = slash == std::string_view::npos;
    if (is_rest(segment) && !last) refuse("\"*\" must be the last segment");
    if (is_parameter(segment) && (segment.size() < 3 || !segment.ends_with('}'))) refuse("has a malformed parameter");
    segments.emplace_back(segment);
    if (segments.size() > max_segments) refuse("has too many segments");
    if (last) return segments;
    from = slash + 1;
  }
}

/// Literal before parameter before rest.
int rank(std::string_view segment) {
  return is_rest(segment) ? 2 : is_parameter(segment) ? 1 : 0;
}

/// Whether a path that both match belongs to `a`.
bool more_specific(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (is_rest(a.back()) != is_rest(b.back())) return is_rest(b.back());
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const auto& x, const auto& y) { return rank(x) < rank(y); });
}

/// Whether exactly the same paths match both: they differ in parameter names only.
bool same_paths(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return rank(x) == rank(y) && (rank(x) != 0 || x == y); });
}

struct PathSegments {
  std::array<std::string_view, max_segments> at;
  std::size_t size = 0;  ///< max_segments + 1: too many
};

PathSegments split_path(std::string_view path) {
  PathSegments segments;
  for (std::size_t from = 1;;) {
    const std::size_t slash = path.find('/', from);
    if (segments.size == max_segments) {
      ++segments.size;
      return segments;
    }
    segments.at[segments.size++] = path.substr(from, slash - from);
    if (slash == std::string_view::npos) return segments;
    from = slash + 1;
  }
}

bool matches(const std::vector<std::string>& pattern, const PathSegments& path) {
  const bool rest = is_rest(pattern.back());
  if (rest ? path.size < pattern.size() : path.size != pattern.size()) return false;
  const std::size_t compared = rest ? pattern.size() - 1 : pattern.size();
  for (std::size_t i = 0; i < compared; ++i) {
    if (is_parameter(pattern[i]) ? path.at[i].empty() : path.at[i] != pattern[i]) return false;
  }
  return true;
}

}  // namespace

Router::Route& Router::route(std::string_view pattern) {
  std::vector<std::string> segments = split_pattern(pattern);
  for (Route& known : routes_) {
    if (known.pattern == pattern) return known;
    if (same_paths(known.segments, segments))
      throw std::invalid_argument("route " + std::string(pattern) + ": matches the same paths as " + known.pattern);
  }
  // Kept from the most specific to the least, so that the first match is the right one.
  const auto place = std::find_if(routes_.begin(), routes_.end(),
                                  [&](const Route& other) { return more_specific(segments, other.segments); });
  Route added;
  added.pattern = pattern;
  added.segments = std::move(segments);
  return *routes_.insert(place, std::move(added));
}

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  if (!handler) throw std::invalid_argument("route " + std::string(pattern) + ": has no handler");
  if (!route(pattern).handlers.emplace(method, std::move(handler)).second)
    throw std::invalid_argument("route " + std::string(pattern) + ": has two handlers for " + std::string(method));
}

void Router::add_websocket(std::string_view pattern, WebSocketEndpoint endpoint) {
  if (!endpoint.open) throw std::invalid_argument("route " + std::string(pattern) + ": has no WebSocket listener");
  Route& added = route(pattern);
  if (added.websocket) throw std::invalid_argument("route " + std::string(pattern) + ": has two WebSocket endpoints");
  added.websocket = std::make_shared<WebSocketEndpoint>(std::move(endpoint));
}

std::vector<Router::RouteName> Router::routes() const {
  std::vector<RouteName> names;
  for (const Route& route : routes_) {
    for (const auto& [method, unused] : route.handlers) names.push_back({method, route.pattern});
    if (route.websocket && !route.handlers.contains("GET")) names.push_back({"GET", route.pattern});
  }
  return names;
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  const PathSegments segments = split_path(path);
  const auto found = std::find_if(routes_.begin(), routes_.end(),
                                  [&](const Route& candidate) { return matches(candidate.segments, segments); });
  if (found == routes_.end()) return match;

  match.pattern = found->pattern;
  match.websocket = found->websocket.get();
  for (std::size_t i = 0; i < found->segments.size(); ++i) {
    if (is_parameter(found->segments[i]))
      match.path_parameters.emplace_back(segments.at[i]);
    else if (is_rest(found->segments[i]))
      match.path_parameters.emplace_back(path.substr(static_cast<std::size_t>(segments.at[i].data() - path.data())));
  }
  auto handler = found->handlers.find(method);
  if (handler == found->handlers.end() && method == "HEAD") handler = found->handlers.find("GET");
  if (handler != found->handlers.end()) {
    match.handler = &handler->second;
    return match;
  }
  const bool get = found->handlers.contains("GET") || found->websocket;
  const bool head = found->handlers.contains("GET") && !found->handlers.contains("HEAD");
  const auto allow = [&](std::string_view name) {
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += name;
  };
  if (get) allow("GET");
  if (head) allow("HEAD");
  for (const auto& [name, unused] : found->handlers)
    if (name != "GET") allow(name);
  if (!found->handlers.contains("OPTIONS")) allow("OPTIONS");
  return match;
}

}  // namespace fluxora::net
