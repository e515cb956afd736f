#include "seen_connections.hpp"

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <sys/socket.h>

namespace {

struct Name {
  std::vector<std::vector<std::string>> lookups;
  std::size_t next = 0;
  bool held = false;
};

std::mutex mutex;
std::condition_variable released;
int held = 0;

std::map<std::string, Name>& names() {
  static std::map<std::string, Name> all;
  return all;
}

std::vector<std::string>& connections() {
  static std::vector<std::string> all;
  return all;
}

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

/// The addresses of one lookup; none: not a name of ours.
bool look_up(const std::string& name, std::vector<std::string>& addresses) {
  std::unique_lock lock(mutex);
  const auto found = names().find(name);
  if (found == names().end()) return false;
  if (found->second.held) {
    ++held;
    released.wait(lock, [&] { return !names().at(name).held; });
    --held;
  }
  Name& ours = names().at(name);
  if (!ours.lookups.empty()) addresses = ours.lookups[ours.next++ % ours.lookups.size()];
  return true;
}

decltype(&getaddrinfo) system_lookup() {
  static const auto found = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return found;
}

}  // namespace

namespace fluxora::outbound::test {

void set_addresses(const std::string& name, std::vector<std::vector<std::string>> lookups) {
  const std::lock_guard lock(mutex);
  names()[name] = {std::move(lookups)};
}

void hold_lookup(const std::string& name) {
  const std::lock_guard lock(mutex);
  names()[name].held = true;
}

int held_lookups() {
  const std::lock_guard lock(mutex);
  return held;
}

void release_lookups() {
  const std::lock_guard lock(mutex);
  for (auto& [name, ours] : names()) ours.held = false;
  released.notify_all();
}

std::vector<std::string> take_connections() {
  const std::lock_guard lock(mutex);
  return std::exchange(connections(), {});
}

}  // namespace fluxora::outbound::test

// Both instead of the C library's, for everything that is linked into this program.

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  std::vector<std::string> addresses;
  if (name == nullptr || !look_up(name, addresses)) return system_lookup()(name, service, hints, result);
  addrinfo* first = nullptr;
  addrinfo** end = &first;
  for (const std::string& address : addresses) {
    addrinfo numeric = hints != nullptr ? *hints : addrinfo{};
    numeric.ai_family = AF_UNSPEC;
    numeric.ai_flags = AI_NUMERICHOST;
    // Each is a list of its own from the C library, whose freeaddrinfo() takes them one by one: so they may be chained.
    if (system_lookup()(address.c_str(), service, &numeric, end) != 0) std::abort();
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  *result = first;
  return first == nullptr ? EAI_NONAME : 0;
}

extern "C" int connect(int socket, const sockaddr* address, socklen_t length) {
  static const auto real = reinterpret_cast<decltype(&connect)>(dlsym(RTLD_NEXT, "connect"));
  const std::string text = text_of(address);
  if (!text.empty()) {
    const std::lock_guard lock(mutex);
    connections().push_back(text);
  }
  return real(socket, address, length);
}
