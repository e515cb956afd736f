// A server whose WebSockets give back what they get, with limits that let long messages through. It writes its port,
// and ends with its standard input.
#include <chrono>
#include <cstddef>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "fluxora/net/server.hpp"

namespace {

using namespace fluxora;

class Echo final : public net::WebSocketListener {
 public:
  explicit Echo(std::shared_ptr<net::WebSocketConnection> connection) : connection_(std::move(connection)) {}

  void on_text(std::string_view message) override { connection_->send(std::make_shared<const std::string>(message)); }
  void on_binary(std::string_view message) override {
    connection_->send_binary(std::make_shared<const std::string>(message));
  }
  void on_closed(std::uint16_t, std::string_view, const net::WebSocketMetrics&) override {}

 private:
  std::shared_ptr<net::WebSocketConnection> connection_;
};

}  // namespace

int main() {
  net::WebSocketEndpoint endpoint;
  endpoint.open = [](std::shared_ptr<net::WebSocketConnection> connection, const net::Request&) {
    return std::make_shared<Echo>(std::move(connection));
  };
  net::Router router;
  router.add_websocket("/echo", std::move(endpoint));

  constexpr std::size_t mebibyte = 1024 * 1024;
  net::ServerOptions options;
  options.port = 0;
  options.websocket.max_message_bytes = 32 * mebibyte;
  options.websocket.max_fragments = mebibyte;
  options.websocket.max_queued_bytes = 64 * mebibyte;
  options.on_trouble = [](std::string_view message) { std::cerr << message << '\n'; };
  net::Server server(std::move(options), std::make_shared<const net::Router>(std::move(router)));
  server.start();
  std::cout << server.port() << std::endl;
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  server.stop(std::chrono::seconds(1));
}
