#include "child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fluxora/ops/backup.hpp"

namespace fluxora::ops {
namespace {

constexpr int patience_ms = 200;  // between two looks whether the process is to end
constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::size_t kept_error_bytes = 4'096;
constexpr int kept_file_fd = 3;
constexpr std::chrono::milliseconds look{20};

[[noreturn]] void fail(const std::string& what, int error) {
  throw Failure(what, std::strerror(error));
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("No pipe can be made.", errno);
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
  Descriptor read;
  Descriptor write;
};

void make_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

Descriptor file_in_memory(const std::string& text) {
  Descriptor file(::memfd_create("fluxora", MFD_CLOEXEC));
  if (!file.is_open()) fail("No file in memory can be made.", errno);
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = ::write(file.get(), text.data() + written, text.size() - written);
    if (count < 0) fail("A file in memory can't be written.", errno);
    written += static_cast<std::size_t>(count);
  }
  return file;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// What posix_spawn does in the child before the program starts.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    // Ours are blocked or ignored: the program is to have them as they usually are.
    sigset_t none;
    sigemptyset(&none);
    sigset_t usual;
    sigemptyset(&usual);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&usual, signal);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void connect(int fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  void nothing(int as, int flags) { posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", flags, 0); }
  int run(pid_t& pid, ChildSetup& setup) const {
    std::vector<std::string> arguments = {setup.program};
    arguments.insert(arguments.end(), setup.arguments.begin(), setup.arguments.end());
    return ::posix_spawn(&pid, setup.program.c_str(), &actions_, &attributes_, pointers(arguments).data(),
                         pointers(setup.environment).data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

void Descriptor::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int Descriptor::release() noexcept {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

ChildProcess::ChildProcess(ChildSetup setup, std::function<bool()> stopped)
    : stopped_(std::move(stopped)), grace_(setup.grace) {
  spawn(setup);
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  // psql and pg_dump then ask the server to end what it does for them.
  ::kill(pid_, SIGINT);
  input_.close();
  output_.close();
  const auto end = std::chrono::steady_clock::now() + grace_;
  while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      return;
    }
    std::this_thread::sleep_for(look);
  }
}

void ChildProcess::spawn(ChildSetup& setup) {
  SpawnPlan plan;
  Pipe input;
  Pipe output;
  Pipe errors;
  Descriptor kept;
  if (setup.has_input)
    plan.connect(input.read.get(), STDIN_FILENO);
  else
    plan.nothing(STDIN_FILENO, O_RDONLY);
  if (setup.has_output)
    plan.connect(output.write.get(), STDOUT_FILENO);
  else
    plan.nothing(STDOUT_FILENO, O_WRONLY);
  plan.connect(errors.write.get(), STDERR_FILENO);
  if (!setup.kept_file.empty()) {
    kept = file_in_memory(setup.kept_file);
    plan.connect(kept.get(), kept_file_fd);  // behind the others: it may take one of their numbers
  }
  const int error = plan.run(pid_, setup);
  if (error != 0) {
    pid_ = -1;
    fail(setup.program + " can't be started.", error);
  }
  if (setup.has_input) input_ = std::move(input.write);
  if (setup.has_output) output_ = std::move(output.read);
  errors_ = std::move(errors.read);
  for (const Descriptor* end : {&input_, &output_, &errors_}) {
    if (end->is_open()) make_nonblocking(end->get());
  }
}

bool ChildProcess::feed(std::string_view bytes, const Take& take) {
  while (!bytes.empty()) {
    if (!input_.is_open() || !turn(bytes, take)) return false;
  }
  return true;
}

int ChildProcess::finish(const Take& take) {
  input_.close();
  std::string_view nothing;
  while (turn(nothing, take)) {
  }
  return wait_for_end();
}

bool ChildProcess::turn(std::string_view& bytes, const Take& take) {
  std::array<pollfd, 3> waits = {pollfd{bytes.empty() ? -1 : input_.get(), POLLOUT, 0},
                                 pollfd{output_.get(), POLLIN, 0}, pollfd{errors_.get(), POLLIN, 0}};
  if (!output_.is_open() && !errors_.is_open() && waits[0].fd < 0) return false;
  if (stopped_()) throw Stopped();
  if (::poll(waits.data(), waits.size(), patience_ms) <= 0) return true;
  if (waits[0].revents != 0) {
    const ssize_t count = ::write(input_.get(), bytes.data(), bytes.size());
    if (count >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(count));
    else if (errno != EAGAIN && errno != EINTR)
      input_.close();
  }
  if (waits[1].revents != 0) read_output(take);
  if (waits[2].revents != 0) read_errors();
  return true;
}

void ChildProcess::read_output(const Take& take) {
  std::array<char, chunk_bytes> chunk;
  const ssize_t count = ::read(output_.get(), chunk.data(), chunk.size());
  if (count > 0) {
    if (take) take(std::string_view(chunk.data(), static_cast<std::size_t>(count)));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    output_.close();
  }
}

void ChildProcess::read_errors() {
  std::array<char, kept_error_bytes> chunk;
  const ssize_t count = ::read(errors_.get(), chunk.data(), chunk.size());
  if (count > 0) {
    errors_text_.append(chunk.data(), static_cast<std::size_t>(count));
    if (errors_text_.size() > 2 * kept_error_bytes) errors_text_.erase(0, errors_text_.size() - kept_error_bytes);
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    errors_.close();
  }
}

int ChildProcess::wait_for_end() {
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (stopped_()) throw Stopped();
    std::this_thread::sleep_for(look);
  }
  pid_ = -1;
  return exit_code(status);
}

std::string ChildProcess::complaint() const {
  const std::size_t from = errors_text_.size() - std::min(errors_text_.size(), kept_error_bytes);
  std::string line = errors_text_.substr(from);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  const std::size_t end = line.find_last_not_of(' ');
  line.resize(end == std::string::npos ? 0 : end + 1);
  return line;
}

}  // namespace fluxora::ops
