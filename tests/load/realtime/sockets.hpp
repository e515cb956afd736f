#pragma once

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace fluxora::load {

/// What a system call gave, or std::system_error where it failed.
template <class Result>
Result checked(Result result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

inline std::uint16_t bound_port(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  checked(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

inline void bind_loopback(int socket, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  checked(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
}

}  // namespace fluxora::load
