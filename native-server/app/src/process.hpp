#pragma once

#include <csignal>
#include <string>
#include <string_view>

namespace fluxora::app {

/// Blocks SIGINT and SIGTERM in this thread and every one started after it, and waits for the first of them.
class EndSignals {
 public:
  EndSignals();
  int wait();
  /// Whether one has come, without waiting; once it has, it stays so. For one thread.
  bool came();
  /// From now on a signal ends the process at once, as signals do.
  void unblock();

 private:
  sigset_t set_{};
  bool came_ = false;
};

/// A connection takes a descriptor, and the soft limit that a process gets is often 1,024: up to the hard one.
void raise_descriptor_limit();

/// Tells whoever started this process how it is: "READY=1", "STOPPING=1" (sd_notify(3)). `address` is NOTIFY_SOCKET's
/// value, a path or, behind an @, a name; empty: nobody asked. What can't be told is left out: the service runs anyway.
void notify_service_manager(const std::string& address, std::string_view state);

/// PREFIX/share/fluxora/demo where this program is PREFIX/bin/… and that folder exists; else empty.
[[nodiscard]] std::string installed_demo_root();

}  // namespace fluxora::app
