#include "process.hpp"

#include <sys/resource.h>

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

}  // namespace fluxora::app
