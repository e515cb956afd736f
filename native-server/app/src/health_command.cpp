#include "health_command.hpp"

#include <iostream>
#include <string>

#include "command_result.hpp"
#include "fluxora/net/http_client.hpp"

namespace fluxora::app {
namespace {

constexpr int timeout_ms = 2'000;  // less than an image's health check waits
constexpr std::size_t max_answer_bytes = 64 * 1024;

/// Where this machine reaches what listens on that address.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "[::1]";
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

}  // namespace

int health(const Config& config) {
  if (config.port == 0) return print_failure(exit_bad_arguments, "PORT is 0: only the service's log says which it is.");
  net::HttpClientOptions options;
  options.connect_timeout_ms = timeout_ms;
  options.request_timeout_ms = timeout_ms;
  options.max_response_bytes = max_answer_bytes;
  try {
    net::HttpClient client(net::parse_url("http://" + reachable(config.host) + ':' + std::to_string(config.port)),
                           options);
    const net::HttpClientResponse answer = client.get("/health");
    std::cout << answer.body << std::endl;
    return answer.status == 200 ? exit_done : exit_failed;
  } catch (const net::HttpClientError& error) {
    return print_failure(exit_failed, std::string("The service doesn't answer: ") + error.what());
  }
}

}  // namespace fluxora::app
