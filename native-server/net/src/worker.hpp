#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "asio_types.hpp"
#include "fluxora/net/server.hpp"
#include "response_writer.hpp"
#include "single_fields.hpp"
#include "websocket_thread.hpp"

namespace fluxora::net {

/// The way onto an I/O thread from any other, also for those who outlive it: what they post then is dropped.
class Mailbox {
 public:
  explicit Mailbox(asio::io_context& context) : context_(&context) {}

  template <class Task>
  void post(Task&& task) {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) asio::post(*context_, std::forward<Task>(task));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }
  void set_thread(std::thread::id thread) noexcept { thread_.store(thread); }
  [[nodiscard]] bool on_its_thread() const noexcept { return thread_.load() == std::this_thread::get_id(); }

 private:
  std::atomic<std::thread::id> thread_{};
  std::mutex mutex_;
  asio::io_context* context_;
};

/// A connection, HTTP or WebSocket. Everything on its worker's thread.
class Session {
 public:
  virtual ~Session() = default;
  /// End after what is being served.
  virtual void shut_down() = 0;
  /// End now.
  virtual void cut() = 0;
  /// Write what was queued; asked for with Worker::flush_later.
  virtual void flush() noexcept {}
};

/// What the workers of a server share.
struct ServerState {
  std::atomic<std::size_t> websockets{0};
  std::atomic<bool> draining{false};
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t sessions = 0;           ///< under mutex
  std::size_t workers_accepting = 0;  ///< under mutex
};

/// What a worker counts: written by its thread alone, on cache lines of its own, and read by any.
struct alignas(64) WorkerCounters {
  class Counter {
   public:
    void add(std::uint64_t by = 1) noexcept { set(value() + by); }
    void subtract(std::uint64_t by) noexcept { set(value() - by); }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

   private:
    // One thread writes: no read-modify-write is needed.
    void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    std::atomic<std::uint64_t> value_{0};
  };
  Counter connections_accepted;
  Counter sessions;
  Counter requests;
  Counter queued_messages;
  Counter queued_bytes;
  Counter messages_received;
  Counter messages_sent;
  Counter bytes_received;
  Counter bytes_sent;
  Counter slow_consumers;

  void add_to(ServerStatistics& sum) const noexcept;
};

/// One I/O thread: its io_context, its acceptor, its sessions, and what they need that is one a thread.
class Worker {
 public:
  Worker(unsigned index, const ServerOptions& options, const Router& router, ServerState& state);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Opens, binds and listens; `share_port`: with SO_REUSEPORT. Gives the port.
  std::uint16_t listen(const asio::ip::tcp::endpoint& endpoint);
  void start();
  /// Stop accepting, and shut the sessions down. From any thread.
  void begin_stop();
  /// Cut what is left, and join. From any thread but the worker's.
  void finish_stop();

  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }
  [[nodiscard]] const WorkerCounters& counters() const noexcept { return counters_; }

  // The rest is for sessions, on the worker's thread.
  [[nodiscard]] unsigned index() const noexcept { return index_; }
  void add(std::shared_ptr<Session> session);
  void remove(Session& session);
  /// Calls the session's flush() behind the handlers that are ready now.
  void flush_later(std::shared_ptr<Session> session);
  [[nodiscard]] bool draining() const noexcept { return state_.draining.load(std::memory_order_relaxed); }
  [[nodiscard]] bool stopping() const noexcept { return state_.stopping.load(std::memory_order_relaxed); }
  [[nodiscard]] const ServerOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Router& router() const noexcept { return router_; }
  [[nodiscard]] ServerState& state() noexcept { return state_; }
  [[nodiscard]] WorkerCounters& counters() noexcept { return counters_; }
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] ResponseWriter& writer() noexcept { return writer_; }
  [[nodiscard]] WebSocketThread& websockets() noexcept { return websockets_; }
  [[nodiscard]] const SingleFields& single_fields() const noexcept { return single_fields_; }

  /// 128 random bits in hexadecimal.
  [[nodiscard]] std::string random_id();
  [[nodiscard]] Response error_response(unsigned status, std::string_view detail, const Request& request) noexcept;
  /// `why`: said behind it.
  void trouble(std::string_view message, std::string_view why = {}) noexcept;

 private:
  void run();
  void accept();
  void on_accept(const ErrorCode& error, Socket socket);
  void accept_after_pause();
  void tick_later();
  void tick();
  void flush();

  const unsigned index_;
  const ServerOptions& options_;
  const Router& router_;
  ServerState& state_;
  WorkerCounters counters_;
  ResponseWriter writer_;
  WebSocketThread websockets_;
  const SingleFields single_fields_;
  std::array<unsigned char, 1024> random_bytes_{};
  std::size_t random_used_ = random_bytes_.size();
  bool finished_ = false;
  int accept_errors_in_a_row_ = 0;

  // Sessions go before the io_context that their sockets belong to.
  asio::io_context context_{1};
  std::shared_ptr<Mailbox> mailbox_;
  asio::executor_work_guard<Executor> work_;
  Acceptor acceptor_;
  Timer accept_pause_;
  Timer tick_;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
  std::vector<std::shared_ptr<Session>> unflushed_;
  std::vector<std::shared_ptr<Session>> flushing_;  ///< keeps its room from one flush to the next
  std::thread thread_;
};

}  // namespace fluxora::net
