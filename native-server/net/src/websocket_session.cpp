#include "websocket_session.hpp"

#include <chrono>
#include <deque>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "worker.hpp"

namespace fluxora::net {

namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

/// RFC 6455 section 5.5: a control frame carries 125 bytes, two of them the code.
constexpr std::size_t max_close_reason_bytes = 123;
/// A buffer that one large message has grown is given back.
constexpr std::size_t max_kept_buffer_bytes = 8 * 1024;
constexpr std::size_t dropped_read_bytes = 4 * 1024;
constexpr std::uint16_t going_away = 1001;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t vanished = 1006;
constexpr std::uint16_t invalid_payload = 1007;
constexpr std::uint16_t too_big = 1009;
constexpr std::uint16_t internal_error = 1011;
constexpr std::uint16_t slow_consumer = 4008;

/// At most a close frame's worth of it, without cutting a UTF-8 sequence.
std::string_view close_reason(std::string_view text) {
  if (text.size() <= max_close_reason_bytes) return text;
  std::size_t size = max_close_reason_bytes;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

/// The stream's socket, a type of its own so that Beast finds our way of ending it.
class WebSocketSocket : public Socket {
 public:
  explicit WebSocketSocket(Socket socket) : Socket(std::move(socket)) {}
};

/// Beast's own waits for the peer's end, without a deadline, before it tells anybody that the connection is over.
template <class TeardownHandler>
void async_teardown(boost::beast::role_type, WebSocketSocket& socket, TeardownHandler&& handler) {
  ErrorCode error;
  socket.shutdown(asio::socket_base::shutdown_send, error);
  asio::post(socket.get_executor(), boost::beast::bind_front_handler(std::forward<TeardownHandler>(handler), error));
}

class WebSocketSession;

/// What the listener holds; it may outlive the session, and the server.
class Handle final : public WebSocketConnection {
 public:
  Handle(std::weak_ptr<WebSocketSession> session, const Worker& worker, std::string id, std::string remote_address)
      : session_(std::move(session)),
        mailbox_(worker.mailbox()),
        io_thread_(worker.index()),
        id_(std::move(id)),
        remote_address_(std::move(remote_address)) {}

  void send(Frame frame) override;
  void close(std::uint16_t code, std::string_view reason) override;
  void post(std::function<void()> task) override { mailbox_->post(std::move(task)); }
  [[nodiscard]] bool drained() const override;
  [[nodiscard]] unsigned io_thread() const override { return io_thread_; }
  [[nodiscard]] const std::string& id() const override { return id_; }
  [[nodiscard]] const std::string& remote_address() const override { return remote_address_; }

 private:
  std::weak_ptr<WebSocketSession> session_;
  std::shared_ptr<Mailbox> mailbox_;
  unsigned io_thread_;
  std::string id_;
  std::string remote_address_;
};

class WebSocketSession final : public Session, public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(Worker& worker, Socket socket, const WebSocketEndpoint& endpoint,
                   std::shared_ptr<const Request> request)
      : worker_(worker),
        limits_(worker.options().websocket),
        endpoint_(endpoint),
        stream_(WebSocketSocket(std::move(socket))),
        timer_(worker.context().get_executor()),
        request_(std::move(request)) {}

  void start() {
    stream_.set_option(
        websocket::stream_base::decorator([this](websocket::response_type& response) { decorate(response); }));
    stream_.read_message_max(limits_.max_message_bytes);
    // One write a frame: the shared payload goes out from where it is.
    stream_.auto_fragment(false);
    stream_.text(true);
    stream_.control_callback([this](websocket::frame_type kind, boost::beast::string_view) {
      if (kind == websocket::frame_type::pong) unanswered_pings_ = 0;
    });
    set_timer(worker_.options().http.write_timeout_ms);
    stream_.async_accept(handshake(), [self = shared_from_this()](const ErrorCode& error) { self->on_accept(error); });
  }

  void shut_down() override {
    if (state_ == State::handshake)
      finish(vanished, "");
    else
      close(going_away, "the server is shutting down");
  }
  void cut() override { finish(close_code_, reason_); }

  void send(Frame frame) {
    if (state_ != State::open || !frame) return;
    if (queued_bytes_ + frame->size() > limits_.max_queued_bytes || queue_.size() >= limits_.max_queued_messages) {
      worker_.counters().slow_consumers.add();
      drop_queue();
      close(slow_consumer, "slow consumer");
      return;
    }
    queued_bytes_ += frame->size();
    worker_.counters().queued_bytes.add(frame->size());
    worker_.counters().queued_messages.add();
    queue_.push_back(std::move(frame));
    write();
  }

  [[nodiscard]] bool drained() const noexcept { return !writing_ && queue_.empty(); }

  void close(std::uint16_t code, std::string_view reason) {
    if (state_ != State::open) return;
    state_ = State::draining;
    close_code_ = code;
    reason_ = close_reason(reason);
    set_timer(limits_.close_drain_ms);
    if (!writing_) write_close();
  }

 private:
  enum class State { handshake, open, draining, closing, lingering, closed };

  /// The request as Beast wants to see it; that it is a right one has been checked.
  [[nodiscard]] http::request<http::empty_body> handshake() const {
    http::request<http::empty_body> request(http::verb::get, "/", 11);
    request.set(http::field::host, "-");
    request.set(http::field::connection, "upgrade");
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::sec_websocket_version, "13");
    request.set(http::field::sec_websocket_key, beast_view(request_->header("Sec-WebSocket-Key").value_or("")));
    return request;
  }

  static boost::beast::string_view beast_view(std::string_view text) { return {text.data(), text.size()}; }

  void decorate(websocket::response_type& response) const {
    response.insert(http::field::date, beast_view(worker_.writer().date()));
    response.insert("X-Request-Id", request_->request_id);
    for (const auto& [name, value] : worker_.options().common_headers) response.insert(name, value);
    // Beast would name itself and its version.
    if (response.count(http::field::server) == 0) response.insert(http::field::server, "fluxora");
  }

  void on_accept(const ErrorCode& error) {
    if (state_ != State::handshake) return;
    if (error) return finish(vanished, "");
    state_ = State::open;
    counted_ = true;
    ++worker_.state().websockets;
    set_timer(limits_.ping_interval_ms);
    try {
      listener_ = endpoint_.open(
          std::make_shared<Handle>(weak_from_this(), worker_, worker_.random_id(), request_->remote_address),
          *request_);
    } catch (const std::exception& exception) {
      worker_.trouble(std::string("a WebSocket endpoint: ") + exception.what());
    }
    request_.reset();
    if (!listener_) close(internal_error, "internal error");
    // The stop that this one was too late for.
    if (worker_.stopping()) shut_down();
    read();
  }

  // Reading. Beast's close operation reads for itself, so nothing else does after it has begun.

  void read() {
    if (state_ != State::open && state_ != State::draining) return;
    stream_.async_read(in_, [self = shared_from_this()](const ErrorCode& error, std::size_t) { self->on_read(error); });
  }

  void on_read(const ErrorCode& error) {
    if (over()) return;
    if (error) return on_read_error(error);
    if (state_ == State::open) deliver();
    in_.clear();
    if (in_.capacity() > max_kept_buffer_bytes) in_.shrink_to_fit();
    read();
  }

  void deliver() {
    const auto data = in_.data();
    const std::string_view message(static_cast<const char*>(data.data()), data.size());
    ++metrics_.messages_received;
    metrics_.bytes_received += message.size();
    worker_.counters().messages_received.add();
    worker_.counters().bytes_received.add(message.size());
    try {
      if (stream_.got_text())
        listener_->on_text(message);
      else
        listener_->on_binary();
    } catch (const std::exception& exception) {
      worker_.trouble(std::string("a WebSocket listener: ") + exception.what());
      close(internal_error, "internal error");
    }
  }

  /// Beast has sent the close frame that the error calls for, where it calls for one.
  void on_read_error(const ErrorCode& error) {
    if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow)
      return fail(too_big, "message too big");
    if (error == websocket::error::bad_frame_payload) return fail(invalid_payload, "invalid UTF-8");
    if (error == websocket::condition::protocol_violation) return fail(protocol_error, "protocol error");
    if (state_ == State::closing) return finish(close_code_, reason_);
    if (error == websocket::error::closed) {
      const auto& received = stream_.reason();
      return finish(received.code == websocket::close_code::none ? std::uint16_t{1005} : received.code,
                    std::string_view(received.reason.data(), received.reason.size()));
    }
    finish(vanished, "");
  }

  // Writing: one frame at a time.

  void write() {
    if (writing_ || queue_.empty()) return;
    writing_ = std::move(queue_.front());
    queue_.pop_front();
    stream_.async_write(asio::buffer(*writing_),
                        [self = shared_from_this()](const ErrorCode& error, std::size_t) { self->on_write(error); });
  }

  void on_write(const ErrorCode& error) {
    if (over()) return;
    const std::size_t bytes = std::exchange(writing_, nullptr)->size();
    unqueue(bytes);
    if (error) {
      // Aborted: the stream is being closed by a read, which will say why.
      if (error != asio::error::operation_aborted) finish(vanished, "");
      return;
    }
    ++metrics_.messages_sent;
    metrics_.bytes_sent += bytes;
    worker_.counters().messages_sent.add();
    worker_.counters().bytes_sent.add(bytes);
    write();
    if (writing_) return;
    if (state_ == State::draining) return write_close();
    if (state_ == State::open) tell_drained();
  }

  void tell_drained() {
    try {
      listener_->on_drained();
    } catch (const std::exception& exception) {
      worker_.trouble(std::string("a WebSocket listener: ") + exception.what());
      close(internal_error, "internal error");
    }
  }

  /// A frame was written, or will never be.
  void unqueue(std::size_t bytes) {
    queued_bytes_ -= bytes;
    worker_.counters().queued_bytes.subtract(bytes);
    worker_.counters().queued_messages.subtract(1);
  }

  /// What waits behind the frame that is being written.
  void drop_queue() {
    for (const Frame& frame : queue_) unqueue(frame->size());
    queue_.clear();
  }

  void write_close() {
    state_ = State::closing;
    websocket::close_reason reason;
    reason.code = close_code_;
    reason.reason = beast_view(reason_);
    stream_.async_close(
        reason, [self = shared_from_this()](const ErrorCode&) { self->finish(self->close_code_, self->reason_); });
  }

  // Time: pings while open, the drain's deadline after.

  void set_timer(int after_ms) {
    timer_.expires_after(std::chrono::milliseconds(after_ms));
    timer_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
      if (error) return;
      if (const auto self = weak.lock()) self->on_timer();
    });
  }

  void on_timer() {
    // It may have been set anew when this was on its way already.
    if (SteadyClock::now() < timer_.expiry()) return;
    switch (state_) {
      case State::open: break;
      case State::draining:
      case State::closing: return finish(close_code_, reason_);
      case State::handshake: return finish(vanished, "");
      case State::lingering: return end();
      case State::closed: return;
    }
    if (unanswered_pings_ >= limits_.missed_pongs) return finish(vanished, "no pong");
    ++unanswered_pings_;
    if (!pinging_) {
      pinging_ = true;
      stream_.async_ping({}, [self = shared_from_this()](const ErrorCode&) { self->pinging_ = false; });
    }
    set_timer(limits_.ping_interval_ms);
  }

  // Ending. Operations under way complete with an error and find that it is over.

  [[nodiscard]] bool over() const noexcept { return state_ == State::lingering || state_ == State::closed; }

  void finish(std::uint16_t code, std::string_view reason) {
    if (state_ == State::closed) return;
    conclude(code, reason);
    end();
  }

  /// After a frame that broke the rules: the rest of what the peer sends is read and dropped for a while, because
  /// closing at once would reset the connection and take the close frame with it.
  void fail(std::uint16_t code, std::string_view reason) {
    conclude(code, reason);
    state_ = State::lingering;
    set_timer(limits_.close_drain_ms);
    drop_input();
  }

  void drop_input() {
    in_.clear();
    stream_.next_layer().async_read_some(in_.prepare(dropped_read_bytes),
                                         [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                                           if (self->state_ != State::lingering) return;
                                           if (error) return self->end();
                                           self->drop_input();
                                         });
  }

  /// Tells the listener, once.
  void conclude(std::uint16_t code, std::string_view reason) {
    if (over()) return;
    state_ = State::closed;
    drop_queue();
    if (writing_) unqueue(writing_->size());
    if (counted_) --worker_.state().websockets;
    const auto listener = std::move(listener_);
    if (!listener) return;
    try {
      listener->on_closed(code, reason, metrics_);
    } catch (const std::exception& exception) {
      worker_.trouble(std::string("a WebSocket listener: ") + exception.what());
    }
  }

  void end() {
    state_ = State::closed;
    const auto self = shared_from_this();
    timer_.cancel();
    ErrorCode ignored;
    stream_.next_layer().close(ignored);
    worker_.remove(*this);
  }

  Worker& worker_;
  const WebSocketLimits& limits_;
  const WebSocketEndpoint& endpoint_;
  websocket::stream<WebSocketSocket, false> stream_;  // false: without permessage-deflate
  Timer timer_;
  std::shared_ptr<const Request> request_;  ///< until the listener is there
  std::shared_ptr<WebSocketListener> listener_;
  State state_ = State::handshake;
  bool counted_ = false;
  boost::beast::flat_buffer in_;
  std::deque<Frame> queue_;
  Frame writing_;
  std::size_t queued_bytes_ = 0;  ///< the frame being written included
  std::uint16_t close_code_ = vanished;
  std::string reason_;
  int unanswered_pings_ = 0;
  bool pinging_ = false;
  WebSocketMetrics metrics_;
};

void Handle::send(Frame frame) {
  if (const auto session = session_.lock()) session->send(std::move(frame));
}

bool Handle::drained() const {
  const auto session = session_.lock();
  return session && session->drained();
}

void Handle::close(std::uint16_t code, std::string_view reason) {
  if (const auto session = session_.lock()) session->close(code, reason);
}

}  // namespace

void start_websocket_session(Worker& worker, Socket socket, const WebSocketEndpoint& endpoint,
                             std::shared_ptr<const Request> request) {
  const auto session = std::make_shared<WebSocketSession>(worker, std::move(socket), endpoint, std::move(request));
  worker.add(session);
  session->start();
}

}  // namespace fluxora::net
