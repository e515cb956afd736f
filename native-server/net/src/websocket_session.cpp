#include "websocket_session.hpp"

#include <cerrno>
#include <chrono>
#include <exception>
#include <span>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "websocket_codec.hpp"
#include "websocket_outbox.hpp"
#include "worker.hpp"

namespace fluxora::net {

namespace {

class WebSocketSession;

/// What the listener holds; it may outlive the session, which then says so, and the server. A plain pointer, because
/// a broadcast comes by here with every message, and all of it is on the session's thread.
class Handle final : public WebSocketConnection {
 public:
  Handle(WebSocketSession& session, const Worker& worker, std::string id, std::string remote_address)
      : session_(&session),
        io_thread_(worker.index()),
        id_(std::move(id)),
        remote_address_(std::move(remote_address)) {}

  void detach() noexcept { session_ = nullptr; }

  void send(Frame frame) override;
  void send_binary(Frame frame) override;
  void close(std::uint16_t code, std::string_view reason) override;
  void close_slow(std::string_view reason) override;
  [[nodiscard]] bool drained() const override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] std::size_t queued_messages() const override;
  [[nodiscard]] unsigned io_thread() const override { return io_thread_; }
  [[nodiscard]] const std::string& id() const override { return id_; }
  [[nodiscard]] const std::string& remote_address() const override { return remote_address_; }

 private:
  WebSocketSession* session_;  ///< none once it has ended
  unsigned io_thread_;
  std::string id_;
  std::string remote_address_;
};

class WebSocketSession final : public Session, public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(Worker& worker, Socket socket, bool compress)
      : worker_(worker),
        limits_(worker.options().websocket),
        compress_(compress),
        outbox_(worker.counters()),
        socket_(std::move(socket)),
        timer_(worker.context().get_executor()),
        reader_({limits_.max_message_bytes, limits_.max_fragments, compress}) {}
  ~WebSocketSession() override {
    if (handle_) handle_->detach();
  }
  WebSocketSession(const WebSocketSession&) = delete;
  WebSocketSession& operator=(const WebSocketSession&) = delete;

  void start(const WebSocketEndpoint& endpoint, const Request& request, const WebSocketHandshake& handshake) {
    ++worker_.state().websockets;
    run([&] {
      if (!answer(request, handshake)) return finish(close_code::vanished, "");
      set_timer(limits_.ping_interval_ms);
      try {
        handle_ = std::make_shared<Handle>(*this, worker_, worker_.random_id(), request.remote_address);
        listener_ = endpoint.open(handle_, request);
      } catch (const std::exception& exception) {
        worker_.trouble("a WebSocket endpoint", exception.what());
      }
      if (!listener_) close(close_code::internal_error, "internal error");
      // The stop that this one was too late for.
      if (worker_.stopping()) shut_down();
      wait_for_input();
    });
  }

  void shut_down() override {
    run([this] { close(close_code::going_away, "the server is shutting down"); });
  }
  void cut() override {
    run([this] {
      if (!outbox_.blocked()) write();
      finish(close_code_, reason_);
    });
  }

  void send(Frame frame, Opcode opcode) {
    if (state_ != State::open || broken_ || !frame) return;
    // A task that sends much at once is no slow consumer's: it is slow if its socket doesn't take what is there.
    if (is_too_much(frame->size()) && !outbox_.blocked()) write_some();
    if (broken_) return flush_later();
    if (is_too_much(frame->size())) {
      worker_.counters().slow_consumers.add();
      return close_slow("slow consumer");
    }
    outbox_.push_message(std::move(frame), opcode);
    untold_ = true;
    flush_later();
  }

  [[nodiscard]] bool drained() const noexcept { return outbox_.queued_messages() == 0; }
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return outbox_.queued_bytes(); }
  [[nodiscard]] std::size_t queued_messages() const noexcept { return outbox_.queued_messages(); }

  void close(std::uint16_t code, std::string_view reason) {
    if (state_ != State::open) return;
    reason_ = reason;
    state_ = State::draining;
    close_code_ = code;
    set_timer(limits_.close_drain_ms);
    flush_later();
  }

  void close_slow(std::string_view reason) {
    if (state_ != State::open) return;
    outbox_.drop_messages();
    close(close_code::slow_consumer, reason);
  }

  /// At the end of a turn of the I/O thread in which something was queued.
  void flush() noexcept override {
    flushing_ = false;
    run([this] {
      if (state_ != State::closed && !outbox_.blocked()) write();
    });
  }

 private:
  /// open; draining: our close frame waits for the queue; closing: it was sent, and the peer's is waited for; leaving:
  /// it was sent or is waiting, after a close frame or a broken rule of the peer's, and the listener knows that it is
  /// over; closed.
  enum class State { open, draining, closing, leaving, closed };

  /// A step of the event loop's or the worker's. What escapes from it, such as that memory has run out, may leave it
  /// without anything to wait for, so the connection ends, and nothing more is written to it.
  template <class Step>
  void run(Step step) noexcept {
    try {
      step();
      return;
    } catch (const std::exception& exception) {
      worker_.trouble("a WebSocket", exception.what());
    } catch (...) {
      worker_.trouble("a WebSocket", "unknown exception");
    }
    finish(close_code::internal_error, "internal error");
  }

  /// So few bytes always fit into the socket's empty buffer.
  bool answer(const Request& request, const WebSocketHandshake& handshake) {
    std::string head;
    worker_.writer().write_switch(head, handshake.accept, handshake.extensions, request.request_id);
    return ::send(socket_.native_handle(), head.data(), head.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(head.size());
  }

  // Reading: waiting without a buffer, then into the one of the thread.

  void wait_for_input() {
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](const ErrorCode& error) {
      self->run([&] { self->on_readable(error); });
    });
  }

  void on_readable(const ErrorCode& error) {
    if (state_ == State::closed) return;
    auto& buffer = worker_.websockets().read_buffer;
    const ssize_t received = error ? 0 : ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    const bool nothing_yet = received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (received <= 0 && !nothing_yet) return on_end();
    if (received > 0) take({buffer.data(), static_cast<std::size_t>(received)});
    if (state_ != State::closed) wait_for_input();
  }

  /// The peer's end of the connection.
  void on_end() {
    if (state_ == State::closing) return finish(close_code_, reason_);
    finish(close_code::vanished, "");
  }

  void take(std::span<char> bytes) {
    // When leaving, what the peer still sends is dropped.
    while (state_ != State::leaving && state_ != State::closed) {
      const auto event = reader_.next(bytes);
      switch (event.kind) {
        case FrameReader::Event::Kind::need_more: return;
        case FrameReader::Event::Kind::text:
        case FrameReader::Event::Kind::binary: on_message(event); break;
        case FrameReader::Event::Kind::ping: on_ping(event.payload); break;
        case FrameReader::Event::Kind::pong: unanswered_pings_ = 0; break;
        case FrameReader::Event::Kind::close: on_close(event.code, event.payload, !bytes.empty()); break;
        case FrameReader::Event::Kind::failed: fail(event.code); break;
      }
    }
  }

  void on_message(const FrameReader::Event& event) {
    if (state_ != State::open) return;
    const bool is_text = event.kind == FrameReader::Event::Kind::text;
    if (!event.compressed) return deliver(event.payload, is_text);
    std::string& message = worker_.websockets().inflated;
    switch (worker_.websockets().inflater.decompress(event.payload, limits_.max_message_bytes, message)) {
      case Inflater::Outcome::too_large: return fail(close_code::too_big);
      case Inflater::Outcome::malformed: return fail(close_code::invalid_payload);
      case Inflater::Outcome::done: break;
    }
    Utf8Check utf8;
    if (is_text && !(utf8.take(message) && utf8.complete())) return fail(close_code::invalid_payload);
    deliver(message, is_text);
  }

  void deliver(std::string_view message, bool is_text) {
    ++metrics_.messages_received;
    metrics_.bytes_received += message.size();
    worker_.counters().messages_received.add();
    worker_.counters().bytes_received.add(message.size());
    tell([&] { is_text ? listener_->on_text(message) : listener_->on_binary(message); });
  }

  void on_ping(std::string_view payload) {
    // No frame follows our close frame.
    if (state_ != State::open && state_ != State::draining) return;
    outbox_.push_pong(payload);
    flush_later();
  }

  void on_close(std::uint16_t code, std::string_view reason, bool more_input) {
    if (state_ == State::closing) return finish(close_code_, reason_);
    goodbye_received_ = !more_input;
    leave(code, reason, close_payload(code, ""));
  }

  /// After a frame that broke the rules.
  void fail(std::uint16_t code) {
    if (state_ == State::closing) return finish(close_code_, reason_);
    const std::string_view reason = code == close_code::too_big           ? "message too big"
                                    : code == close_code::invalid_payload ? "invalid payload"
                                                                          : "protocol error";
    leave(code, reason, close_payload(code, reason));
  }

  // Writing: at the end of the turn, and then whenever the socket has room.

  [[nodiscard]] bool is_too_much(std::size_t bytes) const noexcept {
    return outbox_.queued_bytes() + bytes > limits_.max_queued_bytes ||
           outbox_.queued_messages() >= limits_.max_queued_messages;
  }

  void flush_later() {
    if (flushing_) return;
    worker_.flush_later(shared_from_this());
    flushing_ = true;
  }

  void write_some() {
    // Also where an exception leaves it without a wait for room.
    broken_ = true;
    const auto written = outbox_.write(socket_.native_handle(), worker_.websockets(), compress_);
    metrics_.messages_sent += written.messages;
    metrics_.bytes_sent += written.bytes;
    worker_.counters().messages_sent.add(written.messages);
    worker_.counters().bytes_sent.add(written.bytes);
    if (written.state == WebSocketOutbox::State::blocked) wait_for_room();
    broken_ = written.state == WebSocketOutbox::State::failed;
  }

  void wait_for_room() {
    socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](const ErrorCode& error) {
      self->run([&] { self->on_room(error); });
    });
  }

  void on_room(const ErrorCode& error) {
    if (state_ == State::closed) return;
    if (error) return finish(close_code::vanished, "");
    outbox_.unblock();
    write();
  }

  void write() {
    if (!broken_) write_some();
    if (broken_) return finish(close_code::vanished, "");
    if (outbox_.blocked()) return;
    switch (state_) {
      case State::open: return tell_drained();
      case State::draining:
        state_ = State::closing;
        outbox_.push_control(Opcode::close, close_payload(close_code_, reason_));
        return write();
      case State::leaving: return end_sending();
      case State::closing:
      case State::closed: return;
    }
  }

  void tell_drained() {
    if (std::exchange(untold_, false)) tell([this] { listener_->on_drained(); });
  }

  template <class Call>
  void tell(Call call) {
    try {
      call();
    } catch (const std::exception& exception) {
      worker_.trouble("a WebSocket listener", exception.what());
      close(close_code::internal_error, "internal error");
    }
  }

  // Time: pings while open, the drain's deadline after.

  void set_timer(int after_ms) {
    timer_.expires_after(std::chrono::milliseconds(after_ms));
    timer_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
      if (error) return;
      if (const auto self = weak.lock()) self->run([&] { self->on_timer(); });
    });
  }

  void on_timer() {
    // It may have been set anew when this was on its way already.
    if (state_ == State::closed || SteadyClock::now() < timer_.expiry()) return;
    if (state_ != State::open) return finish(close_code_, reason_);
    if (unanswered_pings_ >= limits_.missed_pongs) return finish(close_code::vanished, "no pong");
    ++unanswered_pings_;
    outbox_.push_control(Opcode::ping, "");
    flush_later();
    set_timer(limits_.ping_interval_ms);
  }

  // Ending. Operations under way complete with an error and find that it is over.

  void finish(std::uint16_t code, std::string_view reason) {
    if (state_ == State::closed) return;
    conclude(code, reason);
    state_ = State::closed;
    const auto self = shared_from_this();
    timer_.cancel();
    outbox_.clear();
    ErrorCode ignored;
    socket_.close(ignored);
    worker_.remove(*this);
  }

  /// Our close frame goes out, the last one, behind what the socket still takes. What the peer sends besides is dropped
  /// until it ends the connection, because closing with unread bytes would reset it and take the close frame with it.
  void leave(std::uint16_t code, std::string_view reason, std::string_view payload) {
    if (!outbox_.blocked() && !broken_) write_some();
    conclude(code, reason);
    state_ = State::leaving;
    outbox_.drop_messages();
    outbox_.push_control(Opcode::close, payload);
    set_timer(limits_.close_drain_ms);
    flush_later();
  }

  /// RFC 6455 section 7.1.1: the server closes first.
  void end_sending() {
    ErrorCode error;
    if (goodbye_received_ && socket_.available(error) == 0) return finish(close_code_, reason_);
    socket_.shutdown(asio::socket_base::shutdown_send, error);
  }

  /// Tells the listener, once.
  void conclude(std::uint16_t code, std::string_view reason) {
    if (!std::exchange(counted_, false)) return;
    --worker_.state().websockets;
    const auto listener = std::move(listener_);
    if (!listener) return;
    // Whatever it does with the connection now is ignored.
    state_ = State::leaving;
    try {
      listener->on_closed(code, reason, metrics_);
    } catch (const std::exception& exception) {
      worker_.trouble("a WebSocket listener", exception.what());
    } catch (...) {
      worker_.trouble("a WebSocket listener", "unknown exception");
    }
  }

  // First what sending a message needs, side by side: a broadcast finds none of it in the cache.
  Worker& worker_;
  const WebSocketLimits& limits_;
  State state_ = State::open;
  bool compress_;
  bool counted_ = true;            ///< among the server's WebSockets, and its listener doesn't know of the end
  bool flushing_ = false;          ///< the worker will call flush()
  bool untold_ = false;            ///< the listener hasn't been told that the queue is empty again
  bool broken_ = false;            ///< a write has failed
  bool goodbye_received_ = false;  ///< the peer's close frame, and nothing behind it
  std::uint16_t close_code_ = close_code::vanished;
  int unanswered_pings_ = 0;
  WebSocketOutbox outbox_;
  WebSocketMetrics metrics_;
  Socket socket_;
  Timer timer_;
  std::shared_ptr<Handle> handle_;
  std::shared_ptr<WebSocketListener> listener_;
  FrameReader reader_;
  std::string reason_;
};

void Handle::send(Frame frame) {
  if (session_ != nullptr) session_->send(std::move(frame), Opcode::text);
}

void Handle::send_binary(Frame frame) {
  if (session_ != nullptr) session_->send(std::move(frame), Opcode::binary);
}

void Handle::close(std::uint16_t code, std::string_view reason) {
  if (session_ != nullptr) session_->close(code, reason);
}

void Handle::close_slow(std::string_view reason) {
  if (session_ != nullptr) session_->close_slow(reason);
}

bool Handle::drained() const {
  return session_ != nullptr && session_->drained();
}

std::size_t Handle::queued_bytes() const {
  return session_ == nullptr ? 0 : session_->queued_bytes();
}

std::size_t Handle::queued_messages() const {
  return session_ == nullptr ? 0 : session_->queued_messages();
}

}  // namespace

void start_websocket_session(Worker& worker, Socket socket, const WebSocketEndpoint& endpoint, const Request& request,
                             const WebSocketHandshake& handshake) {
  const auto session = std::make_shared<WebSocketSession>(worker, std::move(socket), handshake.compresses());
  worker.add(session);
  session->start(endpoint, request, handshake);
}

}  // namespace fluxora::net
