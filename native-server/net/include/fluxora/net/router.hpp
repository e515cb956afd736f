#pragma once

#include <compare>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/net/http_message.hpp"
#include "fluxora/net/websocket.hpp"

namespace fluxora::net {

/// Finds the handler for a method and a path. Patterns are literal segments and `{name}` segments, which match
/// one non-empty segment each: "/api/streams/{id}/events". A literal segment wins over a `{name}` one; a pattern
/// may end in "/*", which matches whatever remains (its one path parameter) and is tried last.
/// Built before the server starts and not changed after.
class Router {
 public:
  /// GET also serves HEAD.
  void add(std::string_view method, std::string_view pattern, Handler handler);
  void add_websocket(std::string_view pattern, WebSocketEndpoint endpoint);

  struct RouteName {
    std::string method;
    std::string pattern;
    auto operator<=>(const RouteName&) const = default;
  };
  /// What was added; a WebSocket endpoint is a GET. HEAD and OPTIONS, which every path has besides, aren't among them.
  [[nodiscard]] std::vector<RouteName> routes() const;

  struct Match {
    const Handler* handler = nullptr;  ///< null: no such method, or no such path
    const WebSocketEndpoint* websocket = nullptr;
    std::string_view pattern;  ///< the route's name for logs and metrics; empty: no such path
    std::vector<std::string> path_parameters;
    std::string allow;  ///< the path's methods, for 405 and OPTIONS
  };
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string pattern;
    std::vector<std::string> segments;
    std::map<std::string, Handler, std::less<>> handlers;
    std::shared_ptr<WebSocketEndpoint> websocket;
  };
  Route& route(std::string_view pattern);

  std::vector<Route> routes_;
};

}  // namespace fluxora::net
