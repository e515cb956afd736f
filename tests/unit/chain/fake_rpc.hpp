#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fluxora/net/server.hpp"
#include "good_answers.hpp"

namespace fluxora::chain::test {

/// A JSON-RPC server on loopback that answers what the test says, in that order, and keeps what it was asked.
class FakeRpc {
 public:
  FakeRpc();
  ~FakeRpc();
  FakeRpc(const FakeRpc&) = delete;
  FakeRpc& operator=(const FakeRpc&) = delete;

  [[nodiscard]] std::string url() const;

  /// Answers the next request with a result, under the request's id.
  void answer(Json result);
  void answer_error(int code, const std::string& message);
  /// Answers the next request with whatever this makes of it.
  void answer_with(std::function<net::Response(const Json& request)> make);
  /// The next request is never answered; `on_request` is called when it has come.
  void leave_unanswered(std::function<void()> on_request);

  /// The requests so far.
  [[nodiscard]] std::vector<Json> requests() const;
  /// The params of the only request, or of the `index`th.
  [[nodiscard]] Json params(std::size_t index = 0) const;

 private:
  void serve(const net::Request& request, net::Respond respond);

  mutable std::mutex mutex_;
  std::deque<std::function<void(const Json& request, net::Respond respond)>> answers_;
  std::vector<Json> requests_;
  std::vector<net::Respond> unanswered_;
  std::unique_ptr<net::Server> server_;
};

/// A response with that text.
[[nodiscard]] net::Response response(std::string body, unsigned status = 200);

}  // namespace fluxora::chain::test
