#include "loopback_client.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fluxora/net/http_message.hpp"

namespace fluxora::net::test {

namespace {

void wait_for(int fd, short events) {
  pollfd waiting{fd, events, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(patience).count()));
  if (ready <= 0) throw std::runtime_error("the peer let us wait");
}

}  // namespace

std::optional<std::string> RawResponse::header(std::string_view name) const {
  for (const auto& [field, value] : headers)
    if (equal_ignoring_case(field, name)) return value;
  return {};
}

std::size_t RawResponse::count(std::string_view name) const {
  std::size_t found = 0;
  for (const auto& [field, value] : headers) found += equal_ignoring_case(field, name) ? 1U : 0U;
  return found;
}

LoopbackClient::LoopbackClient(std::uint16_t port, int receive_buffer) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::runtime_error("socket");
  if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
}

LoopbackClient::~LoopbackClient() {
  if (fd_ >= 0) ::close(fd_);
}

LoopbackClient::LoopbackClient(LoopbackClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), was_reset_(other.was_reset_), in_(std::move(other.in_)) {}

void LoopbackClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    wait_for(fd_, POLLOUT);
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void LoopbackClient::send_as_far_as_possible(std::string_view bytes) {
  try {
    send(bytes);
  } catch (const std::runtime_error&) {
    return;
  }
}

void LoopbackClient::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

void LoopbackClient::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(std::exchange(fd_, -1));
}

bool LoopbackClient::read_some() {
  wait_for(fd_, POLLIN);
  char buffer[16 * 1024];
  const ssize_t received = ::recv(fd_, buffer, sizeof buffer, 0);
  if (received < 0 && errno == ECONNRESET) was_reset_ = true;
  if (received <= 0) return false;
  in_.append(buffer, static_cast<std::size_t>(received));
  return true;
}

bool LoopbackClient::has_input() const {
  pollfd waiting{fd_, POLLIN, 0};
  return !in_.empty() || ::poll(&waiting, 1, 0) > 0;
}

std::string LoopbackClient::read_exactly(std::size_t count) {
  while (in_.size() < count)
    if (!read_some()) throw std::runtime_error("the connection ended early, after: " + in_);
  std::string bytes = in_.substr(0, count);
  in_.erase(0, count);
  return bytes;
}

std::string LoopbackClient::read_to_end() {
  while (read_some()) continue;
  return std::exchange(in_, {});
}

bool LoopbackClient::at_end() {
  return in_.empty() && !read_some();
}

RawResponse LoopbackClient::read_response(bool has_body) {
  std::size_t head_end = 0;
  while ((head_end = in_.find("\r\n\r\n")) == std::string::npos)
    if (!read_some()) throw std::runtime_error("the connection ended within an answer's head: " + in_);
  const std::string head = read_exactly(head_end + 4);

  RawResponse response;
  if (!head.starts_with("HTTP/1.1 ")) throw std::runtime_error("not a status line: " + head);
  response.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
  std::size_t line = head.find("\r\n") + 2;
  while (line + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", line);
    const std::size_t colon = head.find(": ", line);
    if (colon > end) throw std::runtime_error("not a header: " + head.substr(line, end - line));
    response.headers.emplace_back(head.substr(line, colon - line), head.substr(colon + 2, end - colon - 2));
    line = end + 2;
  }
  if (const auto length = response.header("Content-Length"); length && has_body)
    response.body = read_exactly(std::stoul(*length));
  return response;
}

RawResponse LoopbackClient::request(std::string_view bytes) {
  send(bytes);
  return read_response();
}

}  // namespace fluxora::net::test
