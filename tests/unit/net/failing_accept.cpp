#include "failing_accept.hpp"

#include <atomic>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<int> failures_left{0};
std::atomic<int> failure{0};

int accept_or_fail(int listener, sockaddr* address, socklen_t* size, int flags) {
  if (failures_left.load() > 0) {
    pollfd waiting{listener, POLLIN, 0};
    const bool connection = ::poll(&waiting, 1, 0) == 1;
    if (connection) --failures_left;
    errno = connection ? failure.load() : EAGAIN;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, listener, address, size, flags));
}

}  // namespace

namespace fluxora::net::test {

void fail_accepts(int count, int error) {
  failure = error;
  failures_left = count;
}

}  // namespace fluxora::net::test

// Instead of the C library's, for everything that is linked into this program.
extern "C" int accept(int listener, sockaddr* address, socklen_t* size) {
  return accept_or_fail(listener, address, size, 0);
}
extern "C" int accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
  return accept_or_fail(listener, address, size, flags);
}
