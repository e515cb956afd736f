#pragma once

#include <csignal>

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

}  // namespace fluxora::app
