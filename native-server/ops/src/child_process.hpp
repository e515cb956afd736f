#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace fluxora::ops {

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  void close() noexcept;

 private:
  int release() noexcept;
  int fd_;
};

struct ChildSetup {
  std::string program;                     ///< its path; no search, no shell
  std::vector<std::string> arguments;      ///< without the program's name
  std::vector<std::string> environment;    ///< NAME=value; it has no others
  bool has_input = false;                  ///< else it reads /dev/null
  bool has_output = true;                  ///< else it writes to /dev/null
  std::string kept_file = {};              ///< readable for it at ChildProcess::kept_file_path; empty: none
  std::chrono::milliseconds grace{5'000};  ///< from the interrupt that ends it to the signal that kills it
};

/// A program that runs beside this one. It is written to and read in one thread, which never blocks on one of its pipes
/// while another one is full. What it says on stderr is kept, up to a bound.
class ChildProcess {
 public:
  /// A file that is only in memory: it has no name that others could open it by.
  static constexpr std::string_view kept_file_path = "/proc/self/fd/3";

  /// `stopped` is asked while it is waited for: true makes whatever waits throw Stopped. Throws Failure where the
  /// program can't be started.
  ChildProcess(ChildSetup setup, std::function<bool()> stopped);
  /// Interrupts it where it still runs, and kills it where it doesn't end of that within its grace.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  using Take = std::function<void(std::string_view)>;
  /// Writes all of `bytes` to its input and hands on what it writes meanwhile. False: it reads no more.
  bool feed(std::string_view bytes, const Take& take = {});
  /// Closes its input, hands on what it still writes, and waits for its end. Gives its exit code, 128 + N for signal N.
  int finish(const Take& take = {});

  /// The end of what it said on stderr, in one line of text.
  [[nodiscard]] std::string complaint() const;

 private:
  void spawn(ChildSetup& setup);
  /// Waits until something can be read, or written where there are `bytes`, and does that. False: nothing is left to
  /// wait for.
  bool turn(std::string_view& bytes, const Take& take);
  void read_output(const Take& take);
  void read_errors();
  int wait_for_end();

  const std::function<bool()> stopped_;
  const std::chrono::milliseconds grace_;
  pid_t pid_ = -1;
  Descriptor input_;
  Descriptor output_;
  Descriptor errors_;
  std::string errors_text_;
};

}  // namespace fluxora::ops
