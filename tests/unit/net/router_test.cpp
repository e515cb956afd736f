#include "fluxora/net/router.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::net {
namespace {

Handler nothing() {
  return [](const std::shared_ptr<const Request>&, const Respond&) {};
}

Router table() {
  Router router;
  router.add("GET", "/", nothing());
  router.add("GET", "/*", nothing());
  router.add("GET", "/api/streams/{id}", nothing());
  router.add("PATCH", "/api/streams/{id}", nothing());
  router.add("DELETE", "/api/streams/{id}", nothing());
  router.add("GET", "/api/streams/{id}/events", nothing());
  router.add("GET", "/api/streams", nothing());
  router.add("POST", "/api/streams", nothing());
  router.add("GET", "/api/streams/export", nothing());
  router.add("POST", "/api/streams/lookup", nothing());
  router.add("GET", "/docs/*", nothing());
  WebSocketEndpoint endpoint;
  endpoint.open = [](const std::shared_ptr<WebSocketConnection>&, const Request&) {
    return std::shared_ptr<WebSocketListener>();
  };
  router.add_websocket("/ws/streams", endpoint);
  return router;
}

struct Case {
  const char* path;
  const char* pattern;
  std::vector<std::string> parameters;
};

TEST(Router, FindsTheMostSpecificPattern) {
  const Router router = table();
  const std::vector<Case> cases = {
      {"/", "/", {}},
      {"/api/streams", "/api/streams", {}},
      {"/api/streams/42", "/api/streams/{id}", {"42"}},
      {"/api/streams/a b", "/api/streams/{id}", {"a b"}},
      {"/api/streams/export", "/api/streams/export", {}},
      {"/api/streams/export/events", "/api/streams/{id}/events", {"export"}},
      {"/docs/", "/docs/*", {""}},
      {"/docs/a/b.css", "/docs/*", {"a/b.css"}},
      {"/docs", "/*", {"docs"}},
      {"/api/streams/", "/*", {"api/streams/"}},
      {"/api//streams", "/*", {"api//streams"}},
      {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18", "/*", {"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18"}},
  };
  for (const Case& expected : cases) {
    const auto match = router.match("GET", expected.path);
    EXPECT_EQ(match.pattern, expected.pattern) << expected.path;
    EXPECT_EQ(match.path_parameters, expected.parameters) << expected.path;
    EXPECT_NE(match.handler, nullptr) << expected.path;
  }
}

TEST(Router, FindsNothingForAnUnknownPath) {
  Router router;
  router.add("GET", "/a/{b}", nothing());
  for (const char* path : {"/", "", "a/b", "/a", "/a/", "/a/b/c", "/A/b"}) {
    const auto match = router.match("GET", path);
    EXPECT_TRUE(match.pattern.empty()) << path;
    EXPECT_EQ(match.handler, nullptr) << path;
  }
}

TEST(Router, SaysWhichMethodsAPathHas) {
  const Router router = table();
  const auto stream = router.match("POST", "/api/streams/42");
  EXPECT_EQ(stream.handler, nullptr);
  EXPECT_EQ(stream.pattern, "/api/streams/{id}");
  EXPECT_EQ(stream.allow, "GET, HEAD, DELETE, PATCH, OPTIONS");
  EXPECT_EQ(router.match("GET", "/api/streams/lookup").allow, "POST, OPTIONS");
  EXPECT_EQ(router.match("POST", "/ws/streams").allow, "GET, OPTIONS");
}

TEST(Router, ServesHeadByGetUnlessItHasItsOwnHandler) {
  Router router;
  router.add("GET", "/a", nothing());
  router.add("GET", "/b", nothing());
  router.add("HEAD", "/b", nothing());
  EXPECT_EQ(router.match("HEAD", "/a").handler, router.match("GET", "/a").handler);
  EXPECT_NE(router.match("HEAD", "/b").handler, router.match("GET", "/b").handler);
}

TEST(Router, KeepsWebSocketEndpointsBesideHandlers) {
  const Router router = table();
  EXPECT_NE(router.match("GET", "/ws/streams").websocket, nullptr);
  EXPECT_EQ(router.match("GET", "/ws/streams").handler, nullptr);
  EXPECT_EQ(router.match("GET", "/api/streams").websocket, nullptr);
}

TEST(Router, TriesRestPatternsLast) {
  Router router;
  router.add("GET", "/api/*", nothing());
  router.add("GET", "/{section}/health", nothing());
  EXPECT_EQ(router.match("GET", "/api/health").pattern, "/{section}/health");
  EXPECT_EQ(router.match("GET", "/api/other").pattern, "/api/*");
}

TEST(Router, RefusesPatternsThatCannotWork) {
  Router router;
  router.add("GET", "/a/{b}", nothing());
  for (const char* pattern : {"", "a", "/a/*/b", "/{}", "/{a", "/a/{c}"})
    EXPECT_THROW(router.add("POST", pattern, nothing()), std::invalid_argument) << pattern;
  EXPECT_THROW(router.add("GET", "/a/{b}", nothing()), std::invalid_argument);
  EXPECT_THROW(router.add("PUT", "/a/{b}", {}), std::invalid_argument);
  EXPECT_THROW(router.add_websocket("/ws", {}), std::invalid_argument);
}

TEST(Router, NamesItsRoutes) {
  Router router;
  router.add("POST", "/a/{id}", nothing());
  router.add("GET", "/a/{id}", nothing());
  WebSocketEndpoint endpoint;
  endpoint.open = [](const std::shared_ptr<WebSocketConnection>&, const Request&) {
    return std::shared_ptr<WebSocketListener>();
  };
  router.add_websocket("/ws", endpoint);
  auto routes = router.routes();
  std::sort(routes.begin(), routes.end());
  EXPECT_EQ(routes, (std::vector<Router::RouteName>{{"GET", "/a/{id}"}, {"GET", "/ws"}, {"POST", "/a/{id}"}}));
}

}  // namespace
}  // namespace fluxora::net
