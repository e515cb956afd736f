#include "receiver.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fluxora::outbound::test {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

/// How long the body is that comes behind this head.
std::size_t content_length(std::string_view head) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const std::size_t at = head.find(name);
  std::size_t length = 0;
  if (at != std::string_view::npos) std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
  return length;
}

}  // namespace

std::ptrdiff_t Peer::read(char* into, std::size_t size) {
  return tls_ != nullptr ? SSL_read(tls_, into, static_cast<int>(size)) : ::recv(fd_, into, size, 0);
}

std::string Peer::read_request() {
  std::array<char, 16 * 1024> piece;
  while (true) {
    const std::size_t head_end = in_.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const std::size_t size = head_end + 4 + content_length(in_.substr(0, head_end));
      if (in_.size() >= size) {
        std::string request = in_.substr(0, size);
        in_.erase(0, size);
        return request;
      }
    }
    const std::ptrdiff_t count = read(piece.data(), piece.size());
    if (count <= 0) return {};
    in_.append(piece.data(), static_cast<std::size_t>(count));
  }
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::ptrdiff_t count = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                                 : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void Peer::wait_for_end() {
  std::array<char, 16 * 1024> ignored;
  while (read(ignored.data(), ignored.size()) > 0) {
  }
}

void Peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

Receiver::Receiver(Script script, SSL_CTX* tls) : script_(std::move(script)), tls_(tls) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's writes to whom has gone
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  require(::listen(listener_, 512) == 0, "listen");
  socklen_t length = sizeof address;
  require(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_all(); });
}

Receiver::~Receiver() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const Connection& connection : open_) {
      if (connection.fd >= 0) ::shutdown(connection.fd, SHUT_RDWR);
    }
  }
  for (Connection& connection : open_) connection.thread.join();
  SSL_CTX_free(tls_);
}

std::string Receiver::url(const std::string& host) const {
  return (tls_ != nullptr ? "https://" : "http://") + host + ":" + std::to_string(port_) + "/hook";
}

void Receiver::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    const std::lock_guard lock(mutex_);
    Connection& connection = open_.emplace_back();
    connection.fd = fd;
    connection.thread = std::thread([this, &connection, fd] {
      serve(fd);
      const std::lock_guard closing(mutex_);
      ::close(fd);
      connection.fd = -1;
    });
  }
}

void Receiver::serve(int fd) {
  SSL* tls = nullptr;
  if (tls_ != nullptr) {
    tls = SSL_new(tls_);
    SSL_set_fd(tls, fd);
  }
  Peer peer(fd, tls);
  if (tls == nullptr || SSL_accept(tls) == 1) script_(peer);
  SSL_free(tls);
}

Receiver::Script answer_all(std::string answer) {
  return [answer = std::move(answer)](Peer& peer) {
    while (!peer.read_request().empty() && peer.send(answer)) {
    }
  };
}

Receiver::Script answer_once(std::string answer) {
  return [answer = std::move(answer)](Peer& peer) {
    peer.read_request();
    peer.send(answer);
    peer.wait_for_end();
  };
}

CurlTransportOptions loopback_options() {
  CurlTransportOptions options;
  // Longer than any test lasts: those that are about time set their own.
  options.timeout_ms = options.connect_timeout_ms = 30'000;
  options.targets.http_hosts = {"127.0.0.1"};
  options.targets.private_networks = {*core::parse_ip_network("127.0.0.1")};
  return options;
}

std::future<ports::WebhookAnswer> Sender::send(const std::string& url, std::string body,
                                               std::vector<std::pair<std::string, std::string>> headers) {
  const auto promise = std::make_shared<std::promise<ports::WebhookAnswer>>();
  transport.send({url, std::move(headers), std::make_shared<const std::string>(std::move(body))},
                 [promise](ports::WebhookAnswer answer) { promise->set_value(std::move(answer)); });
  return promise->get_future();
}

ports::WebhookAnswer Sender::ask(const std::string& url, std::string body) {
  auto answer = send(url, std::move(body));
  if (answer.wait_for(patience) != std::future_status::ready) throw std::runtime_error("no answer");
  return answer.get();
}

}  // namespace fluxora::outbound::test
