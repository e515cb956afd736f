#include "process.hpp"

#include <cstddef>
#include <cstring>
#include <filesystem>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace fluxora::app {

EndSignals::EndSignals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int EndSignals::wait() {
  int signal = 0;
  sigwait(&set_, &signal);
  return signal;
}

bool EndSignals::came() {
  const timespec at_once{};
  if (!came_) came_ = sigtimedwait(&set_, nullptr, &at_once) > 0;
  return came_;
}

void EndSignals::unblock() {
  pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void notify_service_manager(const std::string& address, std::string_view state) {
  constexpr timeval longest_wait{1, 0};
  sockaddr_un receiver{};
  if (address.empty() || address.size() >= sizeof receiver.sun_path) return;
  receiver.sun_family = AF_UNIX;
  std::memcpy(receiver.sun_path, address.data(), address.size());
  if (receiver.sun_path[0] == '@') receiver.sun_path[0] = '\0';  // unix(7): an abstract name
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &longest_wait, sizeof longest_wait);
  sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&receiver), length);
  close(descriptor);
}

std::string installed_demo_root() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const auto folder = program.parent_path().parent_path() / "share/fluxora/demo";
  return std::filesystem::is_directory(folder, error) ? folder.string() : std::string();
}

}  // namespace fluxora::app
