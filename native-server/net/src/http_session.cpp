#include "http_session.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <sys/socket.h>

#include "http_wire.hpp"
#include "single_fields.hpp"
#include "websocket_handshake.hpp"
#include "websocket_session.hpp"
#include "worker.hpp"

namespace fluxora::net {

namespace {

/// A body up to this size is copied behind its head, for one write; a larger one is written from where it is.
constexpr std::size_t max_copied_body_bytes = 16 * 1024;
constexpr std::size_t first_buffer_bytes = 4 * 1024;
/// After an answer that ends the connection early: how long the rest of the request is read and dropped. Closing at
/// once would reset the connection and take the answer with it (RFC 9112 section 9.6).
constexpr auto linger_time = std::chrono::seconds(2);

std::string address_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

/// What a streamed response keeps once its last piece is written.
constexpr std::size_t max_kept_output_bytes = 32 * 1024;

/// The value of a field that came once; empty for none and for several.
std::string_view only_value(const HeaderFields& headers, std::string_view name) {
  std::string_view found;
  int count = 0;
  for (const auto& [field, value] : headers) {
    if (!equal_ignoring_case(field, name)) continue;
    found = value;
    ++count;
  }
  return count == 1 ? found : std::string_view();
}

/// The bytes that were received and not used yet; they never move but to make room.
class InputBuffer {
 public:
  explicit InputBuffer(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  [[nodiscard]] std::string_view unread() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  void consume(std::size_t count) noexcept { begin_ += count; }
  void commit(std::size_t count) noexcept { end_ += count; }
  void clear() noexcept { begin_ = end_ = 0; }

  /// Room for the next read; empty only when max_bytes are unread.
  asio::mutable_buffer prepare() {
    if (empty()) clear();
    if (end_ == capacity_) {
      if (begin_ > 0) {
        std::copy(bytes_.get() + begin_, bytes_.get() + end_, bytes_.get());
        end_ -= begin_;
        begin_ = 0;
      } else if (capacity_ < max_bytes_) {
        const std::size_t capacity = std::min(max_bytes_, std::max(first_buffer_bytes, 2 * capacity_));
        auto grown = std::make_unique_for_overwrite<char[]>(capacity);
        std::copy(bytes_.get(), bytes_.get() + end_, grown.get());
        bytes_ = std::move(grown);
        capacity_ = capacity;
      }
    }
    return asio::buffer(bytes_.get() + end_, capacity_ - end_);
  }

 private:
  std::size_t max_bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::unique_ptr<char[]> bytes_;
};

class HttpSession final : public Session, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(Worker& worker, Socket socket, std::string remote_address)
      : worker_(worker),
        limits_(worker.options().http),
        socket_(std::move(socket)),
        timer_(worker.context().get_executor()),
        remote_address_(std::move(remote_address)),
        in_(limits_.max_header_bytes + 16),
        scanner_(limits_.max_header_bytes) {}

  void start() {
    begin_request();
    set_deadline(SteadyClock::now() + std::chrono::milliseconds(limits_.header_timeout_ms));
    read();
  }

  void shut_down() override {
    // A request that has arrived and wasn't read yet is answered, too.
    ErrorCode ignored;
    if (phase_ == Phase::head && in_.empty() && socket_.available(ignored) == 0) close();
  }
  void cut() override { close(); }

  [[nodiscard]] bool dispatching() const noexcept { return dispatching_; }
  /// The answer, given while the handler runs.
  void take_answer(std::optional<Response> answer) {
    answered_ = true;
    answer_ = std::move(answer);
  }
  /// The answer, given later. None: dropped.
  void on_answer(std::optional<Response> answer) {
    if (phase_ != Phase::handling) return;
    take_answer(std::move(answer));
    advance();
  }
  /// The piece that was asked for. None: dropped.
  void on_piece(std::optional<BodyPiece> piece) {
    if (phase_ != Phase::producing) return;
    piece_ = std::move(piece);
    given_ = true;
    advance();
  }

 private:
  enum class Phase { head, body, ready, handling, writing, producing, lingering, closed };

  void begin_request() {
    request_ = std::make_shared<Request>();
    request_->remote_address = remote_address_;
    request_->io_thread = worker_.index();
    scanner_ = HeadScanner(limits_.max_header_bytes);
    framing_ = Framing();
    chunked_ = ChunkedDecoder();
    head_started_ = false;
    started_.reset();
    route_ = {};
    status_ = 0;
    endless_ = false;
    phase_ = Phase::head;
  }

  /// Goes on until there is something to wait for.
  void advance() {
    try {
      while (true) {
        bool go_on = false;
        switch (phase_) {
          case Phase::head: go_on = read_head(); break;
          case Phase::body: go_on = read_body(); break;
          case Phase::ready: go_on = dispatch(); break;
          case Phase::handling: go_on = answered_ && send_answer(std::exchange(answer_, std::nullopt)); break;
          case Phase::writing: go_on = write(); break;
          case Phase::producing: go_on = given_ && send_piece(std::exchange(piece_, std::nullopt)); break;
          case Phase::lingering:
          case Phase::closed: break;
        }
        if (!go_on) return;
      }
    } catch (const std::exception& error) {
      worker_.trouble("a connection", error.what());
      close();
    }
  }

  // Reading. The functions that give bool say whether advance() has something to go on with.

  void read() {
    socket_.async_read_some(in_.prepare(), [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
      self->on_read(error, bytes);
    });
  }

  void on_read(const ErrorCode& error, std::size_t bytes) {
    // A deadline may have ended the reading while this was on its way.
    if (phase_ != Phase::head && phase_ != Phase::body) return;
    if (error) return close();
    in_.commit(bytes);
    advance();
  }

  bool read_head() {
    const std::string_view unread = in_.unread();
    switch (scanner_.scan(unread)) {
      case HeadScanner::State::failed: return fail(scanner_.error());
      case HeadScanner::State::need_more:
        // The first request's deadline counts from the connection's start, later ones' from their first byte.
        if (!head_started_ && !scanner_.untouched(unread)) {
          head_started_ = true;
          if (requests_ > 0) set_deadline(SteadyClock::now() + std::chrono::milliseconds(limits_.header_timeout_ms));
        }
        read();
        return false;
      case HeadScanner::State::complete: break;
    }
    ++requests_;
    count_request();
    const std::string_view head = unread.substr(scanner_.begin(), scanner_.end() - scanner_.begin());
    if (const auto error = parse_request_head(head, *request_, framing_)) return fail(*error);
    in_.consume(scanner_.end());

    name_request();
    if (const auto& client_address = worker_.options().client_address)
      request_->remote_address = client_address(*request_);
    if (const std::string_view name = worker_.single_fields().repeated(request_->headers); !name.empty())
      return fail(400, "the " + std::string(name) + " header is repeated");

    if (!framing_.chunked && framing_.content_length.value_or(0) == 0) {
      phase_ = Phase::ready;
      return true;
    }
    if (framing_.content_length.value_or(0) > limits_.max_body_bytes) return fail({413, "the body is too large"});
    phase_ = Phase::body;
    set_deadline(*started_ + std::chrono::milliseconds(limits_.body_timeout_ms));
    if (framing_.expect_continue && framing_.http_1_1 && in_.empty()) return write_continue();
    return true;
  }

  /// RFC 9110 section 10.1.1. So few bytes always fit into the socket's empty buffer.
  bool write_continue() {
    constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    ErrorCode error;
    if (socket_.write_some(asio::buffer(text), error) == text.size()) return true;
    close();
    return false;
  }

  bool read_body() {
    std::string& body = request_->body;
    if (framing_.chunked) {
      const auto result = chunked_.decode(in_.unread(), body, limits_.max_body_bytes);
      in_.consume(result.consumed);
      switch (result.state) {
        case ChunkedDecoder::State::failed: return fail({400, "the chunked body is malformed"});
        case ChunkedDecoder::State::too_large: return fail({413, "the body is too large"});
        case ChunkedDecoder::State::complete: phase_ = Phase::ready; return true;
        case ChunkedDecoder::State::need_more: break;
      }
    } else {
      const auto length = static_cast<std::size_t>(*framing_.content_length);
      const std::string_view part = in_.unread().substr(0, length - body.size());
      body.append(part);
      in_.consume(part.size());
      if (body.size() == length) {
        phase_ = Phase::ready;
        return true;
      }
    }
    read();
    return false;
  }

  // Answering.

  bool dispatch() {
    clear_deadline();
    Router::Match match = worker_.router().match(request_->method, request_->path);
    route_ = match.pattern;
    request_->path_parameters = std::move(match.path_parameters);

    if (match.websocket != nullptr && wants_websocket()) return upgrade(*match.websocket);
    if (match.handler != nullptr) return call(*match.handler);
    if (request_->path == "*") return send_options("");
    if (match.pattern.empty()) return send_error(404, "nothing is at this path");
    if (match.websocket != nullptr && request_->method == "GET") return send_upgrade_required();
    if (request_->method == "OPTIONS") return send_options(match.allow);
    Response response = worker_.error_response(405, "the path has other methods", *request_);
    response.headers.emplace_back("Allow", std::move(match.allow));
    return send(std::move(response));
  }

  bool call(const Handler& handler);

  bool send_answer(std::optional<Response> answer) {
    if (!answer) {
      worker_.trouble("the handler of " + std::string(route_) + " gave no answer");
      return send_error(500, "the request could not be answered");
    }
    if (!ResponseWriter::is_writable(*answer)) {
      worker_.trouble("the handler of " + std::string(route_) + " gave an answer that can't be written");
      return send_error(500, "the request could not be answered");
    }
    return send(std::move(*answer));
  }

  bool send_error(unsigned status, std::string_view detail) {
    return send(worker_.error_response(status, detail, *request_));
  }

  bool send_options(std::string allow) {
    Response response;
    response.status = 204;
    if (!allow.empty()) response.headers.emplace_back("Allow", std::move(allow));
    return send(std::move(response));
  }

  bool send_upgrade_required() {
    Response response = worker_.error_response(426, "this path speaks WebSocket version 13", *request_);
    response.headers.emplace_back("Upgrade", "websocket");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return send(std::move(response));
  }

  /// By what its head says, as far as that was read.
  void name_request() {
    const std::string_view id = only_value(request_->headers, "X-Request-Id");
    request_->request_id = is_request_id(id) ? std::string(id) : worker_.random_id();
    if (const auto& traceparent = worker_.options().traceparent)
      request_->traceparent = traceparent(*request_, remote_address_);
  }

  /// A request that can't be read to its end: answered, and the connection with it.
  bool fail(const WireError& error) { return fail(error.status, error.detail); }
  bool fail(unsigned status, std::string_view detail) {
    if (request_->request_id.empty()) name_request();
    if (!started_) count_request();
    framing_.close = true;
    linger_ = true;
    return send_error(status, detail);
  }

  bool send(Response response) {
    if (const auto& before_response = worker_.options().before_response) before_response(*request_, response);
    close_after_ = framing_.close || worker_.draining();
    status_ = response.status;
    out_.clear();
    written_ = 0;
    if (std::holds_alternative<std::shared_ptr<BodyStream>>(response.body)) return send_streamed(std::move(response));
    const std::size_t body_bytes = body_of(response).size();
    worker_.writer().write_head(out_, response, {body_bytes, false, close_after_}, request_->request_id);
    if (ResponseWriter::has_body(response.status) && request_->method != "HEAD") {
      if (body_bytes <= max_copied_body_bytes) {
        out_.append(body_of(response));
      } else {
        response_ = std::move(response);
        tail_ = body_of(response_);
      }
    }
    phase_ = Phase::writing;
    return write();
  }

  /// At once what fits into the socket's buffer, and the rest when there is room.
  bool write() {
    ErrorCode error;
    written_ += socket_.write_some(unwritten(), error);
    if (error && error != asio::error::would_block) {
      close();
      return false;
    }
    if (written_ == out_.size() + tail_.size()) return stream_ ? ask_for_piece() : finish_response();
    set_deadline(SteadyClock::now() + std::chrono::milliseconds(limits_.write_timeout_ms));
    socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](const ErrorCode& failed) {
      if (self->phase_ != Phase::writing) return;
      if (failed) return self->close();
      self->advance();
    });
    return false;
  }

  [[nodiscard]] std::array<asio::const_buffer, 2> unwritten() const {
    const std::size_t head = std::min(written_, out_.size());
    return {asio::buffer(out_) + head, asio::buffer(tail_) + (written_ - head)};
  }

  // Streaming: head and pieces are written like any answer, and each time all is written the next piece is asked for.

  bool send_streamed(Response response) {
    const bool has_body = ResponseWriter::has_body(status_) && request_->method != "HEAD";
    chunking_ = framing_.http_1_1;
    worker_.writer().write_head(out_, response, {{}, has_body && chunking_, close_after_}, request_->request_id);
    if (has_body) {
      stream_ = std::get<std::shared_ptr<BodyStream>>(std::move(response.body));
      endless_ = stream_->endless();
      watch_for_reset();
      if (endless_) watch_for_leaving();
    }
    phase_ = Phase::writing;
    return write();
  }

  bool ask_for_piece();

  bool send_piece(std::optional<BodyPiece> piece) {
    if (!piece || piece->state == BodyPiece::State::failed || piece->bytes.size() > max_body_piece_bytes) {
      worker_.trouble("the stream of " + std::string(route_) + " failed before its end");
      abort();
      return false;
    }
    const bool last = piece->state == BodyPiece::State::last;
    out_.clear();
    written_ = 0;
    if (chunking_) {
      append_chunk(out_, piece->bytes);
      if (last) out_.append(last_chunk);
    } else {
      out_ = std::move(piece->bytes);
    }
    if (last) stream_.reset();
    phase_ = Phase::writing;
    return write();
  }

  /// A client that resets its connection is noticed while nothing is being written to it, too. One that only closes its
  /// side may still be reading; if it isn't, it resets when more comes.
  void watch_for_reset() {
    if (watching_) return;
    watching_ = true;
    socket_.async_wait(asio::socket_base::wait_error, [self = shared_from_this()](const ErrorCode& error) {
      self->watching_ = false;
      if (error || !self->stream_) return;
      int state = 0;
      socklen_t size = sizeof state;
      // Urgent data ends the wait, too. It isn't waited for again: a client could keep us busy with it.
      const int asked = ::getsockopt(self->socket_.native_handle(), SOL_SOCKET, SO_ERROR, &state, &size);
      if (asked != 0 || state != 0) self->close();
    });
  }

  /// An answer without an end is none that a client could wait for with its own side closed: it has left. What it
  /// sends instead stays where it is, and ends the watching.
  void watch_for_leaving() {
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](const ErrorCode& error) {
      if (error || !self->stream_ || !self->endless_) return;
      char next = 0;
      if (::recv(self->socket_.native_handle(), &next, sizeof next, MSG_PEEK | MSG_DONTWAIT) == 0) self->close();
    });
  }

  bool finish_response() {
    report();
    tail_ = {};
    response_ = Response();
    if (out_.capacity() > max_kept_output_bytes) out_ = std::string();
    // The stop may have come after the head was written.
    if (worker_.stopping() && in_.empty()) close_after_ = true;
    if (close_after_) {
      ErrorCode ignored;
      if (linger_ || !in_.empty() || socket_.available(ignored) > 0)
        linger();
      else
        close();
      return false;
    }
    begin_request();
    set_deadline(SteadyClock::now() + std::chrono::milliseconds(limits_.idle_timeout_ms));
    return true;
  }

  /// From here on it is in flight, until it is reported or its connection ends.
  void count_request() {
    started_ = SteadyClock::now();
    if (!std::exchange(in_flight_, true)) worker_.counters().requests.add();
  }
  void end_request() {
    if (std::exchange(in_flight_, false)) worker_.counters().requests.subtract(1);
  }

  void report(bool aborted = false) {
    end_request();
    const auto& on_response = worker_.options().on_response;
    if (!on_response) return;
    const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - *started_);
    on_response(*request_, {route_, status_, duration, aborted, remote_address_, endless_});
  }

  /// Of a request that ends with its connection.
  void report_aborted() {
    try {
      if (in_flight_) report(/*aborted=*/true);
    } catch (const std::exception& error) {
      worker_.trouble("the report of a request", error.what());
    }
  }

  // WebSocket.

  /// RFC 6455 section 4.2.1, items 1 to 4.
  [[nodiscard]] bool wants_websocket() const {
    return request_->method == "GET" && framing_.http_1_1 && framing_.connection_upgrade && framing_.upgrade_websocket;
  }

  bool upgrade(const WebSocketEndpoint& endpoint) {
    if (request_->header("Sec-WebSocket-Version") != "13") return send_upgrade_required();
    WebSocketHandshake handshake;
    if (const auto error = read_websocket_handshake(*request_, worker_.options().websocket.compress, handshake))
      return fail(*error);
    // RFC 6455 section 4.1: the client waits for the answer before it sends frames.
    if (!in_.empty()) return fail({400, "data follows the upgrade request"});
    if (endpoint.refuse) {
      std::optional<Response> refusal;
      try {
        refusal = endpoint.refuse(*request_);
      } catch (const std::exception& error) {
        worker_.trouble("the endpoint of " + std::string(route_) + ": " + error.what());
        return send_error(500, "the request could not be answered");
      }
      if (refusal) return send_answer(std::move(refusal));
    }
    status_ = 101;
    report();
    phase_ = Phase::closed;
    timer_.cancel();
    const auto self = shared_from_this();
    worker_.remove(*this);
    start_websocket_session(worker_, std::move(socket_), endpoint, *request_, handshake);
    return false;
  }

  // Ending.

  void linger() {
    phase_ = Phase::lingering;
    ErrorCode error;
    socket_.shutdown(asio::socket_base::shutdown_send, error);
    if (error) return close();
    set_deadline(SteadyClock::now() + linger_time);
    drop_input();
  }

  void drop_input() {
    in_.clear();
    socket_.async_read_some(in_.prepare(), [self = shared_from_this()](const ErrorCode& error, std::size_t) {
      if (self->phase_ != Phase::lingering) return;
      if (error) return self->close();
      self->drop_input();
    });
  }

  /// Ends the connection so that the client can't take what it got for the whole: an HTTP/1.0 body ends with the
  /// connection, so only a reset tells.
  void abort() {
    ErrorCode ignored;
    if (!chunking_) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  void close() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    report_aborted();
    stream_.reset();
    ErrorCode ignored;
    timer_.cancel();
    socket_.close(ignored);
    const auto self = shared_from_this();
    worker_.remove(*this);
  }

  // Deadlines. The timer is only ever set earlier: a deadline that moves away, as with every request on a busy
  // connection, is looked at again when the timer fires.

  void set_deadline(SteadyClock::time_point deadline) {
    deadline_ = deadline;
    if (deadline_ < timer_at_) arm_timer();
  }
  void clear_deadline() { deadline_ = SteadyClock::time_point::max(); }

  void arm_timer() {
    timer_at_ = deadline_;
    timer_.expires_at(timer_at_);
    timer_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
      if (error) return;
      if (const auto self = weak.lock()) self->on_timer();
    });
  }

  void on_timer() {
    if (phase_ == Phase::closed) return;
    timer_at_ = SteadyClock::time_point::max();
    if (SteadyClock::now() < deadline_) {
      if (deadline_ != SteadyClock::time_point::max()) arm_timer();
      return;
    }
    switch (phase_) {
      case Phase::head:
        // Nothing was asked, so there is nothing to answer.
        if (scanner_.untouched(in_.unread()))
          close();
        else
          time_out("the request's header took too long");
        break;
      case Phase::body: time_out("the request's body took too long"); break;
      case Phase::writing:
      case Phase::lingering: close(); break;
      case Phase::ready:
      case Phase::handling:
      case Phase::producing:
      case Phase::closed: break;
    }
  }

  void time_out(std::string_view detail) {
    ErrorCode ignored;
    socket_.cancel(ignored);
    fail({408, detail});
  }

  Worker& worker_;
  const HttpLimits& limits_;
  Socket socket_;
  Timer timer_;
  SteadyClock::time_point deadline_ = SteadyClock::time_point::max();
  SteadyClock::time_point timer_at_ = SteadyClock::time_point::max();
  std::string remote_address_;
  InputBuffer in_;
  Phase phase_ = Phase::head;
  std::uint64_t requests_ = 0;

  // The request under way.
  HeadScanner scanner_;
  Framing framing_;
  ChunkedDecoder chunked_;
  bool head_started_ = false;
  std::shared_ptr<Request> request_;
  std::optional<SteadyClock::time_point> started_;
  bool in_flight_ = false;
  std::string_view route_;

  // Its answer.
  bool dispatching_ = false;
  bool answered_ = false;
  std::optional<Response> answer_;
  unsigned status_ = 0;
  bool endless_ = false;
  bool close_after_ = false;
  bool linger_ = false;
  std::string out_;
  Response response_;
  std::string_view tail_;  ///< the body, where it isn't copied into out_
  std::size_t written_ = 0;

  // Its body, where that is streamed.
  std::shared_ptr<BodyStream> stream_;  ///< none once the last piece was given
  bool chunking_ = true;
  bool given_ = false;
  std::optional<BodyPiece> piece_;
  bool watching_ = false;
};

/// What a Respond holds: it brings the answer to its session, from any thread, once, or says that there is none.
class PendingAnswer {
 public:
  PendingAnswer(std::weak_ptr<HttpSession> session, std::shared_ptr<Mailbox> mailbox)
      : session_(std::move(session)), mailbox_(std::move(mailbox)) {}
  ~PendingAnswer() {
    try {
      give({});
    } catch (...) {
      // Out of memory: the session stays without an answer until it is cut.
      return;
    }
  }
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;

  void give(std::optional<Response> response) {
    if (given_.exchange(true)) return;
    if (mailbox_->on_its_thread()) {
      if (const auto session = session_.lock(); session && session->dispatching()) {
        session->take_answer(std::move(response));
        return;
      }
    }
    mailbox_->post([session = session_, answer = std::move(response)]() mutable {
      if (const auto alive = session.lock()) alive->on_answer(std::move(answer));
    });
  }

 private:
  std::weak_ptr<HttpSession> session_;
  std::shared_ptr<Mailbox> mailbox_;
  std::atomic<bool> given_{false};
};

bool HttpSession::call(const Handler& handler) {
  answered_ = false;
  phase_ = Phase::handling;
  dispatching_ = true;
  auto pending = std::make_shared<PendingAnswer>(weak_from_this(), worker_.mailbox());
  try {
    handler(request_, [pending](Response response) { pending->give(std::move(response)); });
  } catch (const std::exception& error) {
    worker_.trouble("the handler of " + std::string(route_) + ": " + error.what());
    pending->give({});
  } catch (...) {
    worker_.trouble("the handler of " + std::string(route_) + ": unknown exception");
    pending->give({});
  }
  pending.reset();
  dispatching_ = false;
  return answered_;
}

/// What a GivePiece holds: it brings the piece to its session, from any thread, once, or says that there is none.
/// Always by the mailbox, so that a producer that answers at once takes turns with the thread's other connections.
class PendingPiece {
 public:
  PendingPiece(std::weak_ptr<HttpSession> session, std::shared_ptr<Mailbox> mailbox)
      : session_(std::move(session)), mailbox_(std::move(mailbox)) {}
  ~PendingPiece() {
    try {
      give({});
    } catch (...) {
      // Out of memory: the session waits for its piece until it is cut.
      return;
    }
  }
  PendingPiece(const PendingPiece&) = delete;
  PendingPiece& operator=(const PendingPiece&) = delete;

  void give(std::optional<BodyPiece> piece) {
    if (given_.exchange(true)) return;
    mailbox_->post([session = session_, piece = std::move(piece)]() mutable {
      if (const auto alive = session.lock()) alive->on_piece(std::move(piece));
    });
  }

 private:
  std::weak_ptr<HttpSession> session_;
  std::shared_ptr<Mailbox> mailbox_;
  std::atomic<bool> given_{false};
};

bool HttpSession::ask_for_piece() {
  clear_deadline();
  given_ = false;
  phase_ = Phase::producing;
  auto pending = std::make_shared<PendingPiece>(weak_from_this(), worker_.mailbox());
  try {
    stream_->next([pending](BodyPiece piece) { pending->give(std::move(piece)); });
  } catch (const std::exception& error) {
    worker_.trouble("the stream of " + std::string(route_) + ": " + error.what());
    pending->give({});
  } catch (...) {
    worker_.trouble("the stream of " + std::string(route_) + ": unknown exception");
    pending->give({});
  }
  return false;
}

}  // namespace

void start_http_session(Worker& worker, Socket socket) {
  // The peer may be gone already.
  ErrorCode error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  socket.non_blocking(true, error);
  if (error) return;
  const auto session = std::make_shared<HttpSession>(worker, std::move(socket), address_text(remote.address()));
  worker.add(session);
  session->start();
}

}  // namespace fluxora::net
