#include "counting_writes.hpp"

#include <atomic>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<std::uint64_t> calls{0};

}  // namespace

namespace fluxora::net::test {

std::uint64_t writes_of_messages() {
  return calls.load();
}

}  // namespace fluxora::net::test

// Instead of the C library's, for everything that is linked into this program. Asio, and with it the tests' clients,
// doesn't ask not to wait.
extern "C" ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  if ((flags & MSG_DONTWAIT) != 0) ++calls;
  return ::syscall(SYS_sendto, socket, bytes, size, flags, nullptr, 0);
}

extern "C" ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  if ((flags & MSG_DONTWAIT) != 0) ++calls;
  return ::syscall(SYS_sendmsg, socket, message, flags);
}
