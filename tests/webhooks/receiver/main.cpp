// A receiver of webhooks. `receiver.hpp` is what every receiver needs; the rest makes it behave well or badly, and
// writes down what came. tests/webhooks/README.md says how it is used.
//
//   FLUXORA_WEBHOOK_SECRET=whsec_… fluxora_webhook_receiver --port 4000
//
// Its standard input may bring more, a line each, and is what it ends with:
//   trust PATH SECRET      the secret of the endpoint that delivers to this path
//   serve                  requests are answered from here on; with FLUXORA_WEBHOOK_SECRET they are from the start
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "behaviour.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/net/server.hpp"
#include "receiver.hpp"
#include "recording.hpp"

namespace fluxora::webhook_receiver {
namespace {

constexpr std::size_t remembered_max = 200'000;
constexpr std::string_view usage =
    "fluxora_webhook_receiver [--port N (0: any)] [--threads N (1)] [--record FILE] [--seed N (1)]";

struct Options {
  std::uint16_t port = 0;
  unsigned threads = 1;
  std::string record;
  std::uint64_t seed = 1;
};

template <class Number>
Number parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument(std::string(usage));
  }
  return value;
}

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--port") {
      options.port = parse_number<std::uint16_t>(value);
    } else if (name == "--threads") {
      options.threads = parse_number<unsigned>(value);
    } else if (name == "--record") {
      options.record = value;
    } else if (name == "--seed") {
      options.seed = parse_number<std::uint64_t>(value);
    } else {
      throw std::invalid_argument(std::string(usage));
    }
  }
  return options;
}

core::UnixMillis now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// One request from its arrival to its answer.
class Reception {
 public:
  Reception(Receiver& receiver, const std::string& record, std::uint64_t seed)
      : receiver_(receiver), handled_(remembered_max), recording_(record), behaviour_(seed) {}

  void take(const net::Request& request, net::Respond respond) {
    ++received_;
    const core::UnixMillis now = now_ms();
    const auto [verdict, id] = receiver_.verify(request, static_cast<core::UnixSeconds>(now / 1000));
    if (verdict != core::WebhookVerdict::ok) {
      ++refused_;
      return refuse(request, now, answer(verdict), core::webhook_verdict_name(verdict), std::move(respond));
    }
    const auto plan = behaviour_.plan(request.path, id);
    if (!plan) {
      return refuse(request, now, json_answer(404, R"({"error":"no such path"})"), "ok", std::move(respond));
    }
    const auto begin = handled_.begin(id);
    if (begin == HandledDeliveries::Begin::being_handled) {
      net::Response busy = json_answer(503, R"({"error":"being handled"})");
      busy.headers.emplace_back("Retry-After", "1");
      return refuse(request, now, std::move(busy), "ok", std::move(respond));
    }
    handle(request, now, id, *plan, begin == HandledDeliveries::Begin::duplicate, std::move(respond));
  }

  [[nodiscard]] std::string counts() const {
    return R"({"received":)" + std::to_string(received_) + R"(,"handled":)" + std::to_string(handled_count_) +
           R"(,"duplicates":)" + std::to_string(duplicates_) + R"(,"refused":)" + std::to_string(refused_) + "}";
  }

 private:
  void refuse(const net::Request& request, core::UnixMillis now, net::Response response, std::string_view verdict,
              net::Respond respond) {
    recording_.add(request, {.at = now, .verdict = verdict, .status = response.status});
    respond(std::move(response));
  }

  /// To handle an event is here to write it down. It is remembered once that is done, and acknowledged after that: in
  /// any other order a crash could lose it.
  void handle(const net::Request& request, core::UnixMillis now, const std::string& id, const Plan& plan,
              bool duplicate, net::Respond respond) {
    recording_.add(request, {.at = now,
                             .verdict = core::webhook_verdict_name(core::WebhookVerdict::ok),
                             .handled = plan.handled,
                             .duplicate = duplicate,
                             .status = plan.never ? 0 : plan.status});
    if (duplicate) {
      ++duplicates_;
    } else {
      handled_.end(id, plan.handled);
      if (plan.handled) ++handled_count_;
    }
    if (plan.never) return late_.never(std::move(respond));
    net::Response response = json_answer(plan.status, plan.status < 300 ? R"({"ok":true})" : R"({"ok":false})");
    if (duplicate && plan.status == 200) response = answer(core::WebhookVerdict::duplicate_delivery);
    if (plan.retry_after_seconds) {
      response.headers.emplace_back("Retry-After", std::to_string(*plan.retry_after_seconds));
    }
    if (plan.delay.count() == 0) return respond(std::move(response));
    late_.after(plan.delay, std::move(respond), std::move(response));
  }

  Receiver& receiver_;
  HandledDeliveries handled_;
  Recording recording_;
  Behaviour behaviour_;
  LateAnswers late_;
  std::atomic<std::uint64_t> received_ = 0;
  std::atomic<std::uint64_t> handled_count_ = 0;
  std::atomic<std::uint64_t> duplicates_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
};

void say(std::string_view line) {
  std::cout << line << std::endl;
}

/// Serves until the standard input ends.
void run(const Options& options) {
  Receiver receiver;
  const char* secret = std::getenv("FLUXORA_WEBHOOK_SECRET");
  if (secret != nullptr) receiver.trust("", secret);
  Reception reception(receiver, options.record, options.seed);

  net::Router router;
  router.add("POST", "/*", [&reception](std::shared_ptr<const net::Request> request, net::Respond respond) {
    reception.take(*request, std::move(respond));
  });
  router.add("GET", "/counts", [&reception](std::shared_ptr<const net::Request>, net::Respond respond) {
    respond(json_answer(200, reception.counts()));
  });

  net::ServerOptions server_options;
  server_options.port = options.port;
  server_options.io_threads = options.threads;
  // One that comes twice could be verified as the first and be used as the second.
  server_options.single_headers = {"webhook-id",          "webhook-timestamp",
                                   "webhook-signature",   "x-fluxora-delivery-id",
                                   "x-fluxora-timestamp", "x-fluxora-signature"};
  server_options.on_trouble = [](std::string_view message) { std::cerr << message << '\n'; };
  net::Server server(std::move(server_options), std::make_shared<const net::Router>(std::move(router)));
  say(R"({"event":"listening","port":)" + std::to_string(server.port()) + "}");

  bool serving = secret != nullptr;
  if (serving) server.start();
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    std::string path;
    std::string trusted;
    words >> command >> path >> trusted;
    if (command == "trust") {
      receiver.trust(path, trusted);
      say(R"({"event":"trusted"})");
    } else if (command == "serve" && !serving) {
      serving = true;
      server.start();
      say(R"({"event":"serving"})");
    } else {
      throw std::invalid_argument("unknown command: " + command);
    }
  }
  server.stop(std::chrono::seconds(1));
}

}  // namespace
}  // namespace fluxora::webhook_receiver

int main(int argc, char** argv) {
  try {
    fluxora::webhook_receiver::run(fluxora::webhook_receiver::parse_options(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
