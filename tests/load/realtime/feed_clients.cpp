#include "feed_clients.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sockets.hpp"

namespace fluxora::load {
namespace {

// So many may be on their way to be open at once: fewer than a listening socket's queue has places.
constexpr std::size_t opening_at_once = 200;
constexpr std::size_t buffer_bytes = 256 * 1024;
constexpr std::size_t longest_head = 16 * 1024;
constexpr std::int64_t longest_open_ns = 60'000'000'000;
constexpr std::int64_t ns_a_ms = 1'000'000;

/// A client's frame of less than 126 bytes. Its mask is zero, so the payload stays as it is (RFC 6455 section 5.3).
std::string client_frame(unsigned char opcode, std::string_view payload) {
  std::string frame;
  frame += static_cast<char>(0x80 | opcode);
  frame += static_cast<char>(0x80 | payload.size());
  frame.append(4, '\0');
  frame += payload;
  return frame;
}

std::string subscribe_frame(const std::string& stream) {
  const std::string text = R"({"type":"subscribe","streamId":")" + stream + R"("})";
  if (text.size() > 125) throw std::invalid_argument("a stream id of more than 90 characters");
  return client_frame(1, text);
}

std::string request_text(Transport transport, const std::string& stream) {
  if (transport == Transport::sse) {
    return "GET /api/events/stream?streamId=" + stream + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  }
  return "GET /ws/streams HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n";
}

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

void send_all(int socket, std::string_view text) {
  // What a client sends is small and rare: the socket has room for it.
  if (send(socket, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("a connection doesn't take what is sent");
  }
}

}  // namespace

std::int64_t now_ns() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

struct FeedClients::Connection {
  enum class State : std::uint8_t { connecting, awaiting_head, subscribing, open };

  Connection(std::size_t n, int fd) : number(n), socket(fd) {}
  ~Connection() { close(socket); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const std::size_t number;
  const int socket;
  State state = State::connecting;
  std::string head;  ///< of the response, while it isn't whole
  std::unique_ptr<MessageReader> reader;
};

FeedClients::FeedClients(FeedOptions options, OnDelivery on_delivery)
    : options_(std::move(options)),
      on_delivery_(std::move(on_delivery)),
      epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      buffer_(buffer_bytes) {}

FeedClients::~FeedClients() {
  close(epoll_);
}

void FeedClients::open() {
  const std::int64_t give_up_at = now_ns() + longest_open_ns;
  while (open_ < options_.connections) {
    while (connections_.size() < options_.connections && connections_.size() - open_ < opening_at_once) connect_next();
    if (now_ns() > give_up_at) throw std::runtime_error("only " + std::to_string(open_) + " connections opened");
    read(now_ns() + 100 * ns_a_ms);
  }
}

void FeedClients::connect_next() {
  const int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  connections_.push_back(std::make_unique<Connection>(connections_.size(), fd));
  Connection& connection = *connections_.back();
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options_.receive_buffer_bytes > 0) {
    checked(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer_bytes, sizeof options_.receive_buffer_bytes),
            "SO_RCVBUF");
  }
  const sockaddr_in address = loopback(options_.port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
  epoll_event interest{};
  interest.events = EPOLLOUT;
  interest.data.ptr = &connection;
  checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest), "epoll_ctl");
}

void FeedClients::read(std::int64_t until) {
  std::array<epoll_event, 512> events{};
  const std::int64_t left = std::max<std::int64_t>(0, until - now_ns());
  const auto timeout_ms = static_cast<int>((left + ns_a_ms - 1) / ns_a_ms);
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  if (count < 0 && errno == EINTR) return;
  checked(count, "epoll_wait");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    on_event(*static_cast<Connection*>(event.data.ptr), event.events);
  }
}

std::size_t FeedClients::await_end(std::int64_t until) {
  const auto has_ended = [this](const std::unique_ptr<Connection>& connection) {
    ssize_t size = 0;
    while ((size = recv(connection->socket, buffer_.data(), buffer_.size(), 0)) > 0) {
    }
    return size == 0 || (errno != EAGAIN && errno != EINTR);
  };
  for (;;) {
    const auto ended = std::count_if(connections_.begin(), connections_.end(), has_ended);
    if (static_cast<std::size_t>(ended) == connections_.size() || now_ns() > until) {
      return static_cast<std::size_t>(ended);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void FeedClients::on_event(Connection& connection, std::uint32_t events) {
  if (connection.state != Connection::State::connecting) return receive(connection);
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) throw std::runtime_error("a connection was refused");
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = &connection;
  checked(epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &interest), "epoll_ctl");
  connection.state = Connection::State::awaiting_head;
  send_request(connection);
}

void FeedClients::send_request(Connection& connection) const {
  const bool names_stream = options_.transport == Transport::sse && options_.stream_of;
  send_all(connection.socket,
           request_text(options_.transport, names_stream ? options_.stream_of(connection.number) : ""));
}

void FeedClients::receive(Connection& connection) {
  const ssize_t size = recv(connection.socket, buffer_.data(), buffer_.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) throw std::runtime_error("the server ended connection " + std::to_string(connection.number));
  received_at_ = now_ns();
  std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
  if (connection.state == Connection::State::awaiting_head) bytes = behind_head(connection, bytes);
  if (!bytes.empty()) {
    connection.reader->read(bytes, [&](const Message& message) { on_message(connection, message); });
  }
}

std::string_view FeedClients::behind_head(Connection& connection, std::string_view bytes) {
  std::string& head = connection.head;
  const std::size_t had = head.size();
  head += bytes;
  const std::size_t end = head.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (head.size() > longest_head) throw std::runtime_error("a response's head without an end");
    return {};
  }
  const std::string_view expected = options_.transport == Transport::sse ? "HTTP/1.1 200" : "HTTP/1.1 101";
  if (!begins_with(head, expected)) throw std::runtime_error("refused: " + head.substr(0, head.find('\r')));
  bytes.remove_prefix(end + 4 - had);
  std::string().swap(head);
  begin_feed(connection);
  return bytes;
}

void FeedClients::begin_feed(Connection& connection) {
  connection.state = Connection::State::subscribing;
  if (options_.transport == Transport::sse) {
    connection.reader = std::make_unique<EventReader>();
    return;
  }
  connection.reader = std::make_unique<FrameReader>();
  if (!options_.stream_of) return on_subscribed(connection);
  send_all(connection.socket, subscribe_frame(options_.stream_of(connection.number)));
}

void FeedClients::on_subscribed(Connection& connection) {
  connection.state = Connection::State::open;
  ++open_;
}

void FeedClients::on_message(Connection& connection, const Message& message) {
  const std::string_view head = message.head;
  if (message.kind == Message::Kind::ping) return send_all(connection.socket, client_frame(10, head));
  if (message.kind == Message::Kind::close) throw std::runtime_error("the server closed a connection");
  const bool is_update = options_.transport == Transport::sse ? head.find(R"("eventId":")") != std::string_view::npos
                                                              : begins_with(head, R"({"type":"stream_update")");
  if (is_update) return on_delivery_({connection.number, received_at_, head, message.size});
  const bool begins = options_.transport == Transport::sse ? head.find("event: resume") != std::string_view::npos
                                                           : begins_with(head, R"({"type":"subscribed")");
  if (begins && connection.state == Connection::State::subscribing) return on_subscribed(connection);
  if (begins_with(head, R"({"type":"error")")) throw std::runtime_error("the server says: " + std::string(head));
}

}  // namespace fluxora::load
