// Preloaded into a server, instead of the C library's getaddrinfo() and connect(). Environment:
//   REBINDING_ADDRESSES  comma separated: where nothing may be connected to
//   REBINDING_LOG        a file that gets a line "<address> <port>" for every connect(), before it is made
// Lookups of names under .rebind.test never leave the process:
//   turn-<n>…    by turns PUBLIC_ADDRESS and the n-th address, beginning with the public one
//   back-<n>…    the same, beginning with the n-th address
//   bad-<n>…     the n-th address
//   mixed-<n>…   the n-th address, the one behind it, and PUBLIC_ADDRESS
// Connections to PUBLIC_ADDRESS go to 127.0.0.1 instead, others that are not to loopback are refused: none leaves the
// machine.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::string_view zone = ".rebind.test";
constexpr const char* public_address = "8.8.8.8";

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) std::abort();
  return value;
}

const std::vector<std::string>& forbidden() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> addresses;
    std::string text = setting("REBINDING_ADDRESSES") + ",";
    for (std::size_t comma = text.find(','); comma != std::string::npos; comma = text.find(',')) {
      addresses.push_back(text.substr(0, comma));
      text.erase(0, comma + 1);
    }
    return addresses;
  }();
  return all;
}

std::vector<std::string> addresses_of(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, unsigned> lookups;
  const std::lock_guard lock(mutex);
  const bool even = lookups[name]++ % 2 == 0;
  const std::size_t dash = name.find('-');
  if (dash == std::string::npos) std::abort();
  const std::string kind = name.substr(0, dash);
  const std::size_t number = std::strtoul(name.c_str() + dash + 1, nullptr, 10);
  const std::string& bad = forbidden()[number % forbidden().size()];
  if (kind == "bad") return {bad};
  if (kind == "turn") return {even ? public_address : bad};
  if (kind == "back") return {even ? bad : public_address};
  return {bad, forbidden()[(number + 1) % forbidden().size()], public_address};
}

void write_down(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  in_port_t port = 0;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    port = v4->sin_port;
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    port = v6->sin6_port;
  }
  const std::string line = text.data() + (" " + std::to_string(ntohs(port))) + "\n";
  static const int log = ::open(setting("REBINDING_LOG").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (::write(log, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
}

bool is_loopback(const sockaddr_in& address) {
  return ntohl(address.sin_addr.s_addr) >> 24 == 127;
}

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  static auto* const system_lookup = real<decltype(getaddrinfo)>("getaddrinfo");
  if (name == nullptr || !std::string_view(name).ends_with(zone)) return system_lookup(name, service, hints, result);
  addrinfo numeric = hints != nullptr ? *hints : addrinfo{};
  numeric.ai_family = AF_UNSPEC;
  numeric.ai_flags = AI_NUMERICHOST;
  *result = nullptr;
  for (const std::string& address : addresses_of(name)) {
    // The C library frees them one by one, so lists of its own may be chained.
    while (*result != nullptr) result = &(*result)->ai_next;
    if (system_lookup(address.c_str(), service, &numeric, result) != 0) std::abort();
  }
  return 0;
}

extern "C" int connect(int socket, const sockaddr* address, socklen_t length) {
  static auto* const system_connect = real<decltype(connect)>("connect");
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return system_connect(socket, address, length);
  write_down(address);
  sockaddr_in here{};
  if (address->sa_family == AF_INET) {
    std::memcpy(&here, address, sizeof here);
    in_addr open{};
    inet_pton(AF_INET, public_address, &open);
    if (here.sin_addr.s_addr == open.s_addr) here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is_loopback(here)) return system_connect(socket, reinterpret_cast<const sockaddr*>(&here), sizeof here);
  }
  errno = ECONNREFUSED;
  return -1;
}
