#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "fluxora/ports/webhook_transport.hpp"

namespace fluxora::webhooks::test {

/// Holds requests until the test answers them.
class HeldTransport final : public ports::WebhookTransport {
 public:
  struct Request {
    ports::WebhookRequest request;
    std::function<void(ports::WebhookAnswer)> done;

    [[nodiscard]] std::string header(std::string_view name) const {
      for (const auto& [key, value] : request.headers) {
        if (key == name) return value;
      }
      return {};
    }
    [[nodiscard]] std::string id() const { return header("webhook-id"); }
  };

  void send(ports::WebhookRequest request, std::function<void(ports::WebhookAnswer)> done) override {
    held.push_back({std::move(request), std::move(done)});
    ++sent;
    if (on_send) on_send(held.back());
  }

  /// Answers the oldest.
  void answer(ports::WebhookAnswer answer) { this->answer(held.begin(), std::move(answer)); }
  void answer(std::list<Request>::iterator place, ports::WebhookAnswer answer) {
    const auto done = std::move(place->done);
    held.erase(place);
    done(std::move(answer));
  }
  void answer(unsigned status) { answer(with_status(status)); }

  static ports::WebhookAnswer with_status(unsigned status) {
    ports::WebhookAnswer answer;
    answer.status = status;
    answer.duration_ms = 3;
    return answer;
  }
  static ports::WebhookAnswer failing(ports::TransportFailure failure) {
    ports::WebhookAnswer answer;
    answer.failure = failure;
    answer.duration_ms = 3;
    return answer;
  }

  std::list<Request> held;
  std::size_t sent = 0;
  std::function<void(const Request&)> on_send;
};

}  // namespace fluxora::webhooks::test
