// Responses as an outside parser's test suite has them, read by our client over a real socket. Requests are in
// tests/integration, against the whole server.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "fluxora/net/http_client.hpp"

namespace fluxora::net::test {
namespace {

using Json = nlohmann::json;

constexpr const char* file = "http/picohttpparser_cases.json";

/// Where that parser takes more than RFC 9112 writes.
const std::map<std::string, std::string> stricter = {
    {"parse multiline", "section 5.2: obsolete line folding"},
    {"accept multiple spaces between tokens", "section 4: one space each"},
};

/// Accepts one connection, sends the bytes when a request has come, and closes its side.
class OneAnswer {
 public:
  explicit OneAnswer(std::string bytes) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no listening socket");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, text = std::move(bytes)] { answer(text); });
  }
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  [[nodiscard]] Url url() const { return parse_url("http://127.0.0.1:" + std::to_string(port_) + "/"); }

 private:
  void answer(const std::string& bytes) const {
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    char request[4096];
    if (::recv(fd, request, sizeof request, 0) > 0) {
      // A byte at a time, as "slowloris" has it.
      for (const char c : bytes) ::send(fd, &c, 1, MSG_NOSIGNAL);
      ::shutdown(fd, SHUT_WR);
      while (::recv(fd, request, sizeof request, 0) > 0) continue;
    }
    ::close(fd);
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// The cases, or none where the folder is absent.
std::optional<Json> read_cases() {
  const char* set = std::getenv("FLUXORA_VECTORS");
  const std::string folder = set != nullptr && *set != '\0' ? set : FLUXORA_PROJECT_ROOT "/../shared/vectors";
  std::ifstream stream(folder + "/" + file);
  if (!stream) return {};
  return Json::parse(stream);
}

TEST(HttpVectors, ResponsesAreReadOrRefused) {
  const auto cases = read_cases();
  if (!cases) GTEST_SKIP() << "vectors: " << file << " is not there";
  std::size_t responses = 0;
  std::set<std::string> refused;
  for (const Json& entry : *cases) {
    if (entry.at("fn") != "test_response") continue;
    ++responses;
    const std::string what = entry.at("comment").get<std::string>() + ": " + entry.at("text").dump();
    // All responses of the file are ASCII, so that the text is the bytes.
    const OneAnswer peer(entry.at("text").get<std::string>());
    HttpClient client(peer.url(), {});
    bool read = false;
    try {
      const auto response = client.post("/", "application/json", "{}");
      read = true;
      EXPECT_TRUE(response.status == 200 || response.status == 500) << what;
      EXPECT_EQ(response.body, "") << what;
    } catch (const HttpClientError&) {
      read = false;
    }
    const bool is_stricter = stricter.count(entry.at("comment").get<std::string>()) == 1;
    if (entry.at("expected") == "ok" && is_stricter) refused.insert(entry.at("comment").get<std::string>());
    EXPECT_EQ(read, entry.at("expected") == "ok" && !is_stricter) << what;
  }
  EXPECT_GT(responses, 0U);
  EXPECT_EQ(refused.size(), stricter.size()) << "each exception is one";
  std::printf("vectors: %s %zu responses\n", file, responses);
}

}  // namespace
}  // namespace fluxora::net::test
