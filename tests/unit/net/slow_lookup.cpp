#include "slow_lookup.hpp"

#include <condition_variable>
#include <mutex>
#include <string_view>

#include <dlfcn.h>
#include <netdb.h>

#include "loopback_client.hpp"

namespace {

std::mutex mutex;
std::condition_variable released;
bool holding = false;
int held = 0;

void wait_for_release() {
  std::unique_lock lock(mutex);
  ++held;
  released.wait_for(lock, fluxora::net::test::patience, [] { return !holding; });
  --held;
}

}  // namespace

namespace fluxora::net::test {

void hold_lookups() {
  const std::lock_guard lock(mutex);
  holding = true;
}

void release_lookups() {
  const std::lock_guard lock(mutex);
  holding = false;
  released.notify_all();
}

int held_lookups() {
  const std::lock_guard lock(mutex);
  return held;
}

}  // namespace fluxora::net::test

// Instead of the C library's, for everything that is linked into this program.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  if (name != nullptr && std::string_view(name).ends_with(".slow.example")) {
    wait_for_release();
    return EAI_AGAIN;
  }
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, result);
}
