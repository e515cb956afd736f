#include "short_updates.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "padded_update.hpp"

namespace fluxora::load {
namespace {

class ShortUpdates final : public net::WebSocketConnection {
 public:
  ShortUpdates(std::shared_ptr<net::WebSocketConnection> connection, net::Frame update)
      : connection_(std::move(connection)), update_(std::move(update)) {}

  void send(net::Frame frame) override {
    connection_->send(frame->size() > update_->size() ? update_ : std::move(frame));
  }
  void send_binary(net::Frame frame) override { connection_->send_binary(std::move(frame)); }
  void close(std::uint16_t code, std::string_view reason) override { connection_->close(code, reason); }
  void close_slow(std::string_view reason) override { connection_->close_slow(reason); }
  [[nodiscard]] bool drained() const override { return connection_->drained(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return connection_->queued_bytes(); }
  [[nodiscard]] std::size_t queued_messages() const override { return connection_->queued_messages(); }
  [[nodiscard]] unsigned io_thread() const override { return connection_->io_thread(); }
  [[nodiscard]] const std::string& id() const override { return connection_->id(); }
  [[nodiscard]] const std::string& remote_address() const override { return connection_->remote_address(); }

 private:
  const std::shared_ptr<net::WebSocketConnection> connection_;
  const net::Frame update_;
};

}  // namespace

std::shared_ptr<const net::Router> with_short_updates(const net::Router& whole, std::string_view path,
                                                      std::size_t bytes, unsigned io_threads) {
  const net::WebSocketEndpoint* endpoint = whole.match("GET", path).websocket;
  if (endpoint == nullptr) throw std::logic_error("no WebSocket at " + std::string(path));
  // One for each thread, as the hub has them, so that no two count its references together.
  std::vector<net::Frame> updates;
  for (unsigned i = 0; i < io_threads; ++i)
    updates.push_back(std::make_shared<const std::string>(padded_update(bytes)));
  auto router = std::make_shared<net::Router>();
  router->add_websocket(
      path, {endpoint->refuse,
             [endpoint, updates](std::shared_ptr<net::WebSocketConnection> connection, const net::Request& request) {
               net::Frame update = updates.at(connection->io_thread());
               return endpoint->open(std::make_shared<ShortUpdates>(std::move(connection), std::move(update)), request);
             }});
  return router;
}

}  // namespace fluxora::load
