#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fluxora/net/server.hpp"
#include "loopback_client.hpp"

namespace fluxora::net::test {

/// Waits until `condition` holds; false after `patience`.
template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// What the future holds; throws after `patience`.
template <class Value>
Value await(std::future<Value> future) {
  if (future.wait_for(patience) != std::future_status::ready) throw std::runtime_error("what was awaited didn't come");
  return future.get();
}

/// A running server on a free port that keeps what it reports. Errors' bodies are "<status> <detail>".
class TestServer {
 public:
  struct Report {
    std::string method;
    std::string request_id;
    std::string route;
    unsigned status;
    bool aborted;
    bool endless;
  };

  explicit TestServer(Router router, const std::function<void(ServerOptions&)>& adjust = {});

  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  /// The end of the server, before the test's.
  void destroy() { server_.reset(); }

  [[nodiscard]] std::vector<Report> reports() const;
  [[nodiscard]] std::vector<std::string> troubles() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Report> reports_;
  std::vector<std::string> troubles_;
  std::unique_ptr<Server> server_;
};

/// A handler that answers at once.
Handler answer(std::string body);
/// POST /echo, GET /hello, GET /items/{id}, GET /boom, GET /silence.
Router example_router();

}  // namespace fluxora::net::test
