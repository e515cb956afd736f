#include "fluxora/net/server.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "worker.hpp"

namespace fluxora::net {

namespace {

/// Throws where somebody listens on the port already. The workers' own sockets share it by SO_REUSEPORT, and would
/// share it with another server of the same user too: that one's half of the connections would be lost to us.
void require_free_port(const asio::ip::tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return;
  asio::io_context context;
  asio::ip::tcp::acceptor probe(context, endpoint.protocol());
  probe.set_option(asio::socket_base::reuse_address(true));
  probe.bind(endpoint);
  probe.listen(1);
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, std::shared_ptr<const Router> router)
      : options_(std::move(options)), router_(std::move(router)) {
    options_.io_threads = std::max(1U, options_.io_threads);
    const std::string name = options_.address + ":" + std::to_string(options_.port);
    try {
      asio::ip::tcp::endpoint endpoint(asio::ip::make_address(options_.address), options_.port);
      require_free_port(endpoint);
      for (unsigned i = 0; i < options_.io_threads; ++i) {
        workers_.push_back(std::make_unique<Worker>(i, options_, *router_, state_));
        endpoint.port(workers_.back()->listen(endpoint));
      }
      port_ = endpoint.port();
    } catch (const boost::system::system_error& error) {
      throw std::system_error(std::error_code(error.code()), "can't listen on " + name);
    } catch (const std::system_error& error) {
      throw std::system_error(error.code(), "can't listen on " + name);
    }
  }
  ~Impl() { stop(std::chrono::milliseconds(0)); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start() {
    for (const auto& worker : workers_) worker->start();
    started_ = true;
  }

  void post(unsigned io_thread, std::function<void()> task) {
    workers_.at(io_thread)->mailbox()->post(std::move(task));
  }

  void begin_drain() { state_.draining.store(true); }

  void stop(std::chrono::milliseconds grace) {
    if (stopped_) return;
    stopped_ = true;
    begin_drain();
    state_.stopping.store(true);
    if (started_) {
      for (const auto& worker : workers_) worker->begin_stop();
      std::unique_lock lock(state_.mutex);
      state_.changed.wait_for(lock, grace, [&] { return state_.workers_accepting == 0 && state_.sessions == 0; });
    }
    for (const auto& worker : workers_) worker->finish_stop();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::size_t websocket_connections() const noexcept { return state_.websockets.load(); }
  [[nodiscard]] ServerStatistics statistics() const noexcept {
    ServerStatistics sum;
    for (const auto& worker : workers_) worker->counters().add_to(sum);
    sum.websockets = state_.websockets.load();
    return sum;
  }

 private:
  ServerOptions options_;
  std::shared_ptr<const Router> router_;
  ServerState state_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint16_t port_ = 0;
  bool started_ = false;
  bool stopped_ = false;
};

Server::Server(ServerOptions options, std::shared_ptr<const Router> router)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(router))) {}
Server::~Server() = default;
void Server::start() {
  impl_->start();
}
void Server::post(unsigned io_thread, std::function<void()> task) {
  impl_->post(io_thread, std::move(task));
}
std::uint16_t Server::port() const noexcept {
  return impl_->port();
}
std::size_t Server::websocket_connections() const noexcept {
  return impl_->websocket_connections();
}
ServerStatistics Server::statistics() const noexcept {
  return impl_->statistics();
}
void Server::begin_drain() {
  impl_->begin_drain();
}
void Server::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

}  // namespace fluxora::net
