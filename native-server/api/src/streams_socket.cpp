#include <memory>
#include <string>
#include <utility>

#include "address_limit.hpp"
#include "feed_answers.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/rate_window.hpp"
#include "fluxora/hub/feed_session.hpp"
#include "problem.hpp"
#include "routes.hpp"
#include "socket_messages.hpp"

namespace fluxora::api {
namespace {

// SPEC section 6.
constexpr std::uint32_t messages_a_window = 30;
constexpr core::UnixMillis window_ms = 10'000;
constexpr std::uint32_t exceeded_windows_in_a_row = 3;
constexpr std::uint16_t close_policy_violation = 1008;
constexpr std::uint16_t close_service_restart = 1012;
constexpr std::uint16_t close_try_again_later = 1013;
constexpr std::uint16_t close_token_expired = 4001;

/// A client beyond its rate gets it for every message, so it is made once.
const hub::Frame& rate_limit_error() {
  static const hub::Frame error = socket_error("RATE_LIMIT_EXCEEDED", "At most 30 messages in 10 seconds.");
  return error;
}

/// One client of /ws/streams. Everything on the connection's I/O thread.
class StreamsSocket final : public net::WebSocketListener, public hub::Subscriber, public hub::Outlet {
 public:
  /// `place` none: for the moment until it is closed.
  StreamsSocket(const ApiContext& context, std::shared_ptr<net::WebSocketConnection> connection, FeedPass pass,
                std::unique_ptr<AddressLimit::Place> place)
      : context_(context),
        connection_(std::move(connection)),
        pass_(pass),
        place_(std::move(place)),
        opened_at_(context.clock.now()),
        feed_(std::make_shared<hub::FeedSession>(context.hub.shard(connection_->io_thread()), *this,
                                                 hub::FeedFormat::websocket)) {
    context.hub.add(connection_->io_thread(), *this);
    context.log.info("ws_connect", "", {{"connectionId", connection_->id()}, {"ip", connection_->remote_address()}});
  }

  ~StreamsSocket() override { leave(); }

  // From the connection.
  void on_text(std::string_view text) override;
  void on_binary(std::string_view message) override;
  void on_drained() override { feed_->on_drained(); }
  void on_closed(std::uint16_t code, std::string_view reason, const net::WebSocketMetrics& metrics) override;

  // From the hub.
  void on_notice(const hub::Notice& notice) override { send(notice.frame(hub::FeedFormat::websocket)); }
  void on_epoch_changed() override { close(close_service_restart, "the log is another one: resume to be told"); }
  void on_tick(core::UnixMillis now) override {
    if (pass_.has_ended(now)) close(close_token_expired, "the token has expired");
  }

  // From the session, to the connection.
  void send(hub::Frame frame) override { connection_->send(std::move(frame)); }
  [[nodiscard]] hub::Backlog backlog() const override {
    return {connection_->queued_bytes(), connection_->queued_messages()};
  }
  [[nodiscard]] bool drained() const override { return connection_->drained(); }
  void give_up() override { close(close_try_again_later, "the log can't be read now: resume by cursor"); }
  void too_slow() override { connection_->close_slow("the client doesn't read: resume by cursor"); }

 private:
  bool ended_for_rate(core::RateWindow::Verdict verdict);
  void refuse(std::string_view code, std::string_view message) { send(socket_error(code, message)); }
  void refuse_rate() { send(rate_limit_error()); }
  void subscribe(SocketRequest request);
  void close(std::uint16_t code, std::string_view reason) { connection_->close(code, reason); }
  void leave() {
    if (std::exchange(left_, true)) return;
    context_.hub.remove(connection_->io_thread(), *this);
    feed_->close();
  }

  const ApiContext& context_;
  const std::shared_ptr<net::WebSocketConnection> connection_;
  const FeedPass pass_;
  std::unique_ptr<AddressLimit::Place> place_;
  const core::UnixMillis opened_at_;
  bool left_ = false;
  core::RateWindow rate_{messages_a_window, window_ms, exceeded_windows_in_a_row};
  const std::shared_ptr<hub::FeedSession> feed_;
};

bool StreamsSocket::ended_for_rate(core::RateWindow::Verdict verdict) {
  if (verdict != core::RateWindow::Verdict::persistent) return false;
  refuse_rate();
  close(close_policy_violation, "rate limit exceeded in three windows in a row");
  return true;
}

// Every message counts, whatever is wrong with it.

void StreamsSocket::on_binary(std::string_view) {
  const core::RateWindow::Verdict verdict = rate_.count(context_.clock.now());
  if (ended_for_rate(verdict)) return;
  if (verdict == core::RateWindow::Verdict::exceeded) return refuse_rate();
  refuse("BINARY_NOT_SUPPORTED", "Messages are JSON text.");
}

void StreamsSocket::on_text(std::string_view text) {
  const core::RateWindow::Verdict verdict = rate_.count(context_.clock.now());
  if (ended_for_rate(verdict)) return;
  if (verdict == core::RateWindow::Verdict::exceeded && text.size() <= max_socket_message_bytes) return refuse_rate();

  auto request = read_socket_message(text);
  if (!request) return refuse(request.error().code, request.error().message);
  switch (request->kind) {
    case SocketRequest::Kind::subscribe: return subscribe(std::move(*request));
    case SocketRequest::Kind::unsubscribe:
      feed_->unsubscribe(request->topic);
      return send(socket_unsubscribed(request->topic));
    case SocketRequest::Kind::ping: return send(socket_pong());
  }
}

void StreamsSocket::subscribe(SocketRequest request) {
  // The session calls back on this thread, and not after it is closed: `this` is there.
  feed_->subscribe(request.topic, request.after, [this, topic = request.topic](const hub::Subscribed& subscribed) {
    switch (subscribed.problem) {
      case hub::Subscribed::Problem::too_many:
        return refuse("SUBSCRIPTION_LIMIT", "At most 1000 subscriptions on a connection.");
      case hub::Subscribed::Problem::unavailable: return give_up();
      case hub::Subscribed::Problem::none: break;
    }
    send(socket_subscribed(topic, subscribed));
  });
}

void StreamsSocket::on_closed(std::uint16_t code, std::string_view reason, const net::WebSocketMetrics& metrics) {
  leave();
  place_.reset();
  std::string counts;
  core::JsonWriter json(counts);
  json.begin_object();
  json.key("messagesReceived").unsigned_integer(metrics.messages_received);
  json.key("messagesSent").unsigned_integer(metrics.messages_sent);
  json.key("bytesReceived").unsigned_integer(metrics.bytes_received);
  json.key("bytesSent").unsigned_integer(metrics.bytes_sent);
  json.end_object();
  context_.log.info("ws_disconnect", "",
                    {{"connectionId", connection_->id()},
                     {"durationMs", std::int64_t{context_.clock.now() - opened_at_}},
                     {"code", std::uint64_t{code}},
                     {"reason", reason},
                     {"metrics", ports::LogField::Json{counts}}});
}

}  // namespace

void add_stream_socket(net::Router& router, const ApiContext& context, std::shared_ptr<AddressLimit> places) {
  net::WebSocketEndpoint endpoint;
  endpoint.refuse = [places, &context](const net::Request& request) -> std::optional<net::Response> {
    if (context.shutting_down()) return shutting_down_problem(request);
    FeedAdmission admission = context.access.admit_feed(request);
    if (admission.refusal || places->has_room(request.remote_address)) return std::move(admission.refusal);
    return too_many_feeds(request);
  };
  endpoint.open = [places, &context](std::shared_ptr<net::WebSocketConnection> connection,
                                     const net::Request& request) -> std::shared_ptr<net::WebSocketListener> {
    const FeedAdmission admission = context.access.admit_feed(request);
    // What was good before the upgrade may have ended meanwhile, and two may race for the last place: then it is closed
    // instead of refused.
    auto place = places->take(request.remote_address);
    if (admission.refusal && admission.refusal->status == 401) {
      connection->close(close_token_expired, "the token has expired");
    } else if (admission.refusal) {
      connection->close(close_try_again_later, "feeds can't be opened now");
    } else if (!place) {
      connection->close(close_try_again_later, "too many connections from this address");
    }
    return std::make_shared<StreamsSocket>(context, std::move(connection), admission.pass, std::move(place));
  };
  router.add_websocket("/ws/streams", std::move(endpoint));
}

}  // namespace fluxora::api
