#include "control.hpp"

#include <array>
#include <charconv>
#include <string>

#include <poll.h>
#include <unistd.h>

#include "sockets.hpp"

namespace fluxora::load {

BurstRequests::BurstRequests() : socket_(checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")) {
  bind_loopback(socket_, 0);
  port_ = bound_port(socket_);
}

BurstRequests::~BurstRequests() {
  close(socket_);
}

std::optional<std::size_t> BurstRequests::next(std::chrono::milliseconds timeout) {
  pollfd waiting{socket_, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  std::array<char, 16> text{};
  const ssize_t size = recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
  if (size <= 0) return std::nullopt;
  std::size_t updates = 0;
  std::from_chars(text.data(), text.data() + size, updates);
  if (updates == 0 || updates > max_burst) return std::nullopt;
  return updates;
}

BurstAsker::BurstAsker(std::uint16_t port) : socket_(checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")) {
  const sockaddr_in address = loopback(port);
  checked(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
}

BurstAsker::~BurstAsker() {
  close(socket_);
}

void BurstAsker::ask(std::size_t updates) {
  const std::string text = std::to_string(updates);
  checked(send(socket_, text.data(), text.size(), 0), "a burst's request");
}

}  // namespace fluxora::load
