#include "worker.hpp"

#include <exception>
#include <stdexcept>
#include <vector>

#include <boost/asio/error.hpp>
#include <openssl/rand.h>
#include <sys/socket.h>

#include "http_session.hpp"

namespace fluxora::net {

namespace {

constexpr auto accept_pause = std::chrono::milliseconds(100);
constexpr auto tick_interval = std::chrono::seconds(1);
constexpr int max_accept_errors_without_pause = 16;
constexpr std::size_t id_bytes = 16;

/// Out of descriptors or memory: the connection stays in the backlog, and trying again at once would spin.
bool is_exhaustion(const ErrorCode& error) {
  return error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
         error == asio::error::no_memory || error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

void WorkerCounters::add_to(ServerStatistics& sum) const noexcept {
  sum.connections += sessions.value();
  sum.connections_accepted += connections_accepted.value();
  sum.requests_in_flight += requests.value();
  sum.websocket_queued_messages += queued_messages.value();
  sum.websocket_queued_bytes += queued_bytes.value();
  sum.websocket_messages_received += messages_received.value();
  sum.websocket_messages_sent += messages_sent.value();
  sum.websocket_bytes_received += bytes_received.value();
  sum.websocket_bytes_sent += bytes_sent.value();
  sum.websocket_slow_consumers += slow_consumers.value();
}

Worker::Worker(unsigned index, const ServerOptions& options, const Router& router, ServerState& state)
    : index_(index),
      options_(options),
      router_(router),
      state_(state),
      writer_(options.common_headers),
      single_fields_(options.single_headers),
      mailbox_(std::make_shared<Mailbox>(context_)),
      work_(context_.get_executor()),
      acceptor_(context_.get_executor()),
      accept_pause_(context_.get_executor()),
      tick_(context_.get_executor()) {}

Worker::~Worker() {
  finish_stop();
}

std::uint16_t Worker::listen(const asio::ip::tcp::endpoint& endpoint) {
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  const int on = 1;
  if (::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    throw std::system_error(errno, std::generic_category(), "SO_REUSEPORT");
  // Asio would keep a connection that was aborted before it was accepted to itself, and wait for another one.
  acceptor_.set_option(asio::socket_base::enable_connection_aborted(true));
  acceptor_.bind(endpoint);
  acceptor_.listen(asio::socket_base::max_listen_connections);
  return acceptor_.local_endpoint().port();
}

void Worker::start() {
  {
    const std::lock_guard lock(state_.mutex);
    ++state_.workers_accepting;
  }
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  mailbox_->set_thread(std::this_thread::get_id());
  accept();
  tick_later();
  while (true) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      trouble("an exception reached the I/O thread", error.what());
    } catch (...) {
      trouble("an unknown exception reached the I/O thread");
    }
  }
}

void Worker::accept() {
  acceptor_.async_accept([this](const ErrorCode& error, Socket socket) { on_accept(error, std::move(socket)); });
}

void Worker::on_accept(const ErrorCode& error, Socket socket) {
  if (stopping() || error == asio::error::operation_aborted) return;
  if (error) {
    ++accept_errors_in_a_row_;
    const bool pause = is_exhaustion(error) || accept_errors_in_a_row_ > max_accept_errors_without_pause;
    if (accept_errors_in_a_row_ == 1 || !pause) trouble("accept", error.message());
    if (pause)
      accept_after_pause();
    else
      accept();
    return;
  }
  accept_errors_in_a_row_ = 0;
  counters_.connections_accepted.add();
  // A connection that can't be set up (its peer is gone already, memory) must not end the accepting.
  try {
    start_http_session(*this, std::move(socket));
  } catch (const std::exception& exception) {
    trouble("a new connection", exception.what());
  }
  accept();
}

void Worker::accept_after_pause() {
  accept_pause_.expires_after(accept_pause);
  accept_pause_.async_wait([this](const ErrorCode& error) {
    if (!error && !stopping()) accept();
  });
}

void Worker::tick_later() {
  tick_.expires_after(tick_interval);
  tick_.async_wait([this](const ErrorCode& error) {
    if (error) return;
    tick_later();
    tick();
  });
}

void Worker::tick() {
  websockets_.compressed.clear();
  try {
    if (options_.on_tick) options_.on_tick(index_);
  } catch (const std::exception& error) {
    trouble("on_tick", error.what());
  } catch (...) {
    trouble("on_tick: unknown exception");
  }
}

void Worker::begin_stop() {
  mailbox_->post([this] {
    ErrorCode ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    std::vector<std::shared_ptr<Session>> sessions;
    for (const auto& [key, session] : sessions_) sessions.push_back(session);
    for (const auto& session : sessions) session->shut_down();
    const std::lock_guard lock(state_.mutex);
    --state_.workers_accepting;
    state_.changed.notify_all();
  });
}

void Worker::finish_stop() {
  if (finished_) return;
  finished_ = true;
  if (thread_.joinable()) {
    mailbox_->post([this] {
      std::vector<std::shared_ptr<Session>> sessions;
      for (const auto& [key, session] : sessions_) sessions.push_back(session);
      for (const auto& session : sessions) session->cut();
      // After the handlers that the cuts have made ready.
      asio::post(context_, [this] { context_.stop(); });
    });
    thread_.join();
  }
  mailbox_->close();
}

void Worker::add(std::shared_ptr<Session> session) {
  Session* key = session.get();
  sessions_.emplace(key, std::move(session));
  counters_.sessions.add();
  const std::lock_guard lock(state_.mutex);
  ++state_.sessions;
}

void Worker::remove(Session& session) {
  if (sessions_.erase(&session) == 0) return;
  counters_.sessions.subtract(1);
  const std::lock_guard lock(state_.mutex);
  --state_.sessions;
  if (stopping() && state_.sessions == 0) state_.changed.notify_all();
}

void Worker::flush_later(std::shared_ptr<Session> session) {
  if (unflushed_.empty()) asio::post(context_, [this] { flush(); });
  unflushed_.push_back(std::move(session));
}

void Worker::flush() {
  flushing_.swap(unflushed_);
  for (const auto& session : flushing_) session->flush();
  flushing_.clear();
}

std::string Worker::random_id() {
  if (random_used_ + id_bytes > random_bytes_.size()) {
    if (RAND_bytes(random_bytes_.data(), static_cast<int>(random_bytes_.size())) != 1)
      throw std::runtime_error("no random numbers");
    random_used_ = 0;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string id;
  id.reserve(2 * id_bytes);
  for (std::size_t i = 0; i < id_bytes; ++i) {
    const unsigned char byte = random_bytes_[random_used_++];
    id.push_back(digits[byte >> 4]);
    id.push_back(digits[byte & 15]);
  }
  return id;
}

Response Worker::error_response(unsigned status, std::string_view detail, const Request& request) noexcept {
  try {
    if (options_.error_response) {
      Response response = options_.error_response(status, detail, request);
      if (ResponseWriter::is_writable(response)) return response;
      trouble("error_response made a response that can't be written");
    }
  } catch (const std::exception& error) {
    trouble("error_response", error.what());
  } catch (...) {
    trouble("error_response: unknown exception");
  }
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::string(reason_phrase(status)) + "\n";
  return response;
}

void Worker::trouble(std::string_view message, std::string_view why) noexcept {
  try {
    if (!options_.on_trouble) return;
    options_.on_trouble(why.empty() ? std::string(message) : std::string(message).append(": ").append(why));
  } catch (...) {
    // There is nobody else to tell.
    return;
  }
}

}  // namespace fluxora::net
