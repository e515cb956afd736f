// What this machine can send: a program that answers every upgrade alike, understands nothing and, when asked for a
// burst, sends the ready frames of it to every socket, with one call each; bursts that were asked for meanwhile go
// together. No hub can do less.
#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "control.hpp"
#include "padded_update.hpp"
#include "sockets.hpp"

namespace fluxora::load {
namespace {

constexpr std::string_view upgrade =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: -\r\n\r\n";
constexpr std::string_view subscribed = R"({"type":"subscribed"})";

std::string text_frame(std::string_view payload) {
  std::string frame(1, static_cast<char>(0x81));
  if (payload.size() < 126) {
    frame += static_cast<char>(payload.size());
  } else if (payload.size() <= 0xffff) {
    frame += static_cast<char>(126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xff);
  } else {
    throw std::invalid_argument("an update has at most 65535 bytes");
  }
  return frame.append(payload);
}

/// A listening socket of its own on a shared port, and the connections that came to it.
class Sender {
 public:
  Sender(std::uint16_t port, std::string frame)
      : frame_(std::move(frame)),
        listener_(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket")),
        epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        updates_(checked(eventfd(0, EFD_CLOEXEC), "eventfd")) {
    const int on = 1;
    checked(setsockopt(listener_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "SO_REUSEPORT");
    bind_loopback(listener_, port);
    checked(listen(listener_, SOMAXCONN), "listen");
    watch(listener_);
    watch(updates_);
  }

  [[nodiscard]] std::uint16_t port() const { return bound_port(listener_); }

  /// From any thread.
  void ask(std::uint64_t updates) const { checked(write(updates_, &updates, sizeof updates), "eventfd"); }

  void run() {
    for (std::array<epoll_event, 512> events;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) serve(events[static_cast<std::size_t>(i)].data.fd);
    }
  }

 private:
  void watch(int fd) const {
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.fd = fd;
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest), "epoll_ctl");
  }

  void serve(int fd) {
    if (fd == listener_) return accept_one();
    if (fd == updates_) return send_burst();
    std::array<char, 4096> input;
    const ssize_t size = recv(fd, input.data(), input.size(), MSG_DONTWAIT);
    if (size <= 0) return drop(fd);
    const std::string_view text(input.data(), static_cast<std::size_t>(size));
    send_all(fd, text.substr(0, 4) == "GET " ? std::string(upgrade) : text_frame(subscribed));
    if (text.substr(0, 4) != "GET ") sockets_.push_back(fd);
  }

  void accept_one() {
    // Blocking: a socket that is full is waited for.
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd);
  }

  void send_burst() {
    std::uint64_t updates = 0;
    checked(read(updates_, &updates, sizeof updates), "eventfd");
    std::string burst;
    for (; updates > 0; --updates) burst += frame_;
    for (const int fd : sockets_) send_all(fd, burst);
  }

  /// What a client that goes away doesn't get is nobody's.
  static void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void drop(int fd) {
    std::erase(sockets_, fd);
    close(fd);
  }

  const std::string frame_;
  const int listener_;
  const int epoll_;
  const int updates_;  ///< an eventfd that counts those that were asked for
  std::vector<int> sockets_;
};

[[noreturn]] void serve(std::size_t bytes, unsigned threads) {
  BurstRequests requests;
  std::vector<std::unique_ptr<Sender>> senders;
  std::vector<std::thread> running;
  for (unsigned i = 0; i < threads; ++i) {
    senders.push_back(
        std::make_unique<Sender>(i == 0 ? std::uint16_t{0} : senders[0]->port(), text_frame(padded_update(bytes))));
  }
  for (const auto& sender : senders) running.emplace_back([&sender] { sender->run(); });
  std::cout << R"({"event":"listening","port":)" << senders[0]->port() << R"(,"control":)" << requests.port() << "}"
            << std::endl;
  for (;;) {
    const auto updates = requests.next(std::chrono::seconds(1));
    if (!updates) continue;
    for (const auto& sender : senders) sender->ask(*updates);
  }
}

}  // namespace
}  // namespace fluxora::load

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::invalid_argument("fluxora_bare_sender BYTES_AN_UPDATE THREADS");
    fluxora::load::serve(std::stoul(argv[1]), static_cast<unsigned>(std::stoul(argv[2])));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
