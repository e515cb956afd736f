#include "counting_sendmsg.hpp"

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

// Instead of the C library's, for everything that is linked into this program.
extern "C" ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  ++calls;
  return ::syscall(SYS_sendmsg, socket, message, flags);
}
