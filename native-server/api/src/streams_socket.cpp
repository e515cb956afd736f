#include "streams_socket.hpp"

#include <nlohmann/json.hpp>

#include "fluxora/core/cursor.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/rate_window.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/hub/feed_session.hpp"
#include "problem.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

// SPEC section 6.
constexpr std::size_t max_message_bytes = 4'096;
constexpr std::uint32_t messages_a_window = 30;
constexpr core::UnixMillis window_ms = 10'000;
constexpr std::uint32_t exceeded_windows_in_a_row = 3;
constexpr std::uint16_t close_policy_violation = 1008;
constexpr std::uint16_t close_service_restart = 1012;
constexpr std::uint16_t close_try_again_later = 1013;

using Json = nlohmann::json;

template <class Write>
hub::Frame message(std::string_view type, Write write) {
  auto text = std::make_shared<std::string>();
  core::JsonWriter json(*text);
  json.begin_object();
  json.key("type").string(type);
  write(json);
  json.end_object();
  return text;
}

hub::Frame error_message(std::string_view code, std::string_view text) {
  return message("error", [&](core::JsonWriter& json) {
    json.key("code").string(code);
    json.key("message").string(text);
  });
}

/// The member of a subscribe or unsubscribe message that says what it is about.
std::string_view topic_member(hub::Topic::Kind kind) {
  switch (kind) {
    case hub::Topic::Kind::recipient: return "recipient";
    case hub::Topic::Kind::sender: return "sender";
    case hub::Topic::Kind::all:
    case hub::Topic::Kind::stream: break;
  }
  return "streamId";
}

void write_topic(core::JsonWriter& json, const hub::Topic& topic) {
  json.key(topic_member(topic.kind)).string(topic.kind == hub::Topic::Kind::all ? "*" : topic.value);
}

/// What a message is about, or what is wrong with it.
struct TopicOrError {
  hub::Topic topic;
  std::string error;
};

TopicOrError read_topic(const Json& message, bool must_be_valid) {
  TopicOrError result;
  int given = 0;
  for (const auto kind : {hub::Topic::Kind::stream, hub::Topic::Kind::recipient, hub::Topic::Kind::sender}) {
    const std::string name(topic_member(kind));
    const auto member = message.find(name);
    if (member == message.end()) continue;
    ++given;
    if (!member->is_string() || member->get_ref<const std::string&>().empty()) {
      result.error = name + " must be a text.";
      return result;
    }
    result.topic = {kind, member->get<std::string>()};
  }
  if (given != 1) {
    result.error = "Exactly one of streamId, recipient and sender is needed.";
    return result;
  }
  hub::Topic& topic = result.topic;
  if (topic.kind == hub::Topic::Kind::stream && topic.value == "*") {
    topic = {};
  } else if (must_be_valid && topic.kind == hub::Topic::Kind::stream && !core::is_stream_id(topic.value)) {
    result.error = "streamId must be the id of a stream, or \"*\".";
  } else if (must_be_valid && topic.kind != hub::Topic::Kind::stream && !core::is_stream_party(topic.value)) {
    result.error = std::string(topic_member(topic.kind)) + " must be a Stellar address, G… or C….";
  }
  return result;
}

/// One client of /ws/streams. Everything on the connection's I/O thread.
class StreamsSocket final : public net::WebSocketListener, public hub::Subscriber, public hub::Outlet {
 public:
  StreamsSocket(const ApiContext& context, std::shared_ptr<net::WebSocketConnection> connection,
                std::shared_ptr<AddressLimit> limit, std::unique_ptr<AddressLimit::Place> place)
      : context_(context),
        connection_(std::move(connection)),
        limit_(std::move(limit)),
        place_(std::move(place)),
        opened_at_(context.clock.now()),
        id_(connection_->id()),
        address_(connection_->remote_address()),
        io_thread_(connection_->io_thread()) {
    const hub::TailPosition& position = context.hub.position(io_thread_);
    feed_ = std::make_shared<hub::FeedSession>(
        context.events, *this,
        [connection = connection_](std::function<void()> task) { connection->post(std::move(task)); }, position.epoch,
        position.seq, &context.hub.feed_counters());
    context.hub.add(io_thread_, *this);
    context.log.info("ws_connect", "", {{"connectionId", id_}, {"ip", address_}});
  }

  ~StreamsSocket() override { leave(); }

  // From the connection.
  void on_text(std::string_view text) override;
  void on_binary() override {
    if (within_rate()) send(error_message("BINARY_NOT_SUPPORTED", "Messages are JSON text."));
  }
  void on_drained() override { feed_->on_drained(); }
  void on_closed(std::uint16_t code, std::string_view reason, const net::WebSocketMetrics& metrics) override;

  // From the hub.
  void on_batch(const hub::PublishedBatch& batch) override { feed_->publish(batch); }
  void on_notice(const hub::Frame& notice) override { send(notice); }
  void on_epoch_changed() override { close(close_service_restart, "the log is another one: resume to be told"); }

  // To the connection.
  void send(hub::Frame frame) override { connection_->send(std::move(frame)); }
  [[nodiscard]] bool drained() const override { return connection_->drained(); }
  void give_up() override { close(close_try_again_later, "the log can't be read now: resume by cursor"); }

 private:
  bool within_rate();
  void subscribe(const Json& message);
  void unsubscribe(const Json& message);
  void close(std::uint16_t code, std::string_view reason) { connection_->close(code, reason); }
  void invalid(std::string_view why) { send(error_message("INVALID_MESSAGE", why)); }
  void leave() {
    if (std::exchange(left_, true)) return;
    context_.hub.remove(io_thread_, *this);
    feed_->close();
  }

  const ApiContext& context_;
  const std::shared_ptr<net::WebSocketConnection> connection_;
  std::shared_ptr<AddressLimit> limit_;
  std::unique_ptr<AddressLimit::Place> place_;
  const core::UnixMillis opened_at_;
  const std::string id_;
  const std::string address_;
  const unsigned io_thread_;
  bool left_ = false;
  core::RateWindow rate_{messages_a_window, window_ms, exceeded_windows_in_a_row};
  std::shared_ptr<hub::FeedSession> feed_;
};

bool StreamsSocket::within_rate() {
  switch (rate_.count(context_.clock.now())) {
    case core::RateWindow::Verdict::allowed: return true;
    case core::RateWindow::Verdict::exceeded: return false;
    case core::RateWindow::Verdict::exceeded_now:
      send(error_message("RATE_LIMIT_EXCEEDED",
                         "At most 30 messages in 10 seconds; the rest of this window is ignored."));
      return false;
    case core::RateWindow::Verdict::persistent: break;
  }
  send(error_message("RATE_LIMIT_EXCEEDED", "At most 30 messages in 10 seconds, exceeded three times in a row."));
  close(close_policy_violation, "rate limit exceeded");
  return false;
}

void StreamsSocket::on_text(std::string_view text) {
  if (!within_rate()) return;
  if (text.size() > max_message_bytes) {
    return send(error_message("PAYLOAD_TOO_LARGE", "A message has at most 4096 bytes."));
  }
  const Json message = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (message.is_discarded()) return send(error_message("INVALID_JSON", "The message is not JSON."));
  if (!message.is_object()) return invalid("The message must be an object.");
  const auto type = message.find("type");
  if (type == message.end() || !type->is_string()) return invalid("type must be a text.");

  const auto& name = type->get_ref<const std::string&>();
  if (name == "subscribe") return subscribe(message);
  if (name == "unsubscribe") return unsubscribe(message);
  if (name == "ping") return send(fluxora::api::message("pong", [](core::JsonWriter&) {}));
  send(error_message("UNKNOWN_TYPE", "type must be subscribe, unsubscribe or ping."));
}

void StreamsSocket::subscribe(const Json& message) {
  const TopicOrError about = read_topic(message, /*must_be_valid=*/true);
  if (!about.error.empty()) return invalid(about.error);

  std::optional<core::Cursor> after;
  if (const auto cursor = message.find("after"); cursor != message.end()) {
    auto parsed = cursor->is_string() ? core::parse_cursor(cursor->get_ref<const std::string&>())
                                      : core::Result<core::Cursor>(core::ErrorCode::cursor_invalid);
    if (!parsed) return invalid("after must be a cursor that this service gave.");
    after = std::move(*parsed);
  }
  // The session calls back on this thread, and not after it is closed: `this` is there.
  feed_->subscribe(about.topic, after, [this, topic = about.topic](const hub::Subscribed& subscribed) {
    switch (subscribed.problem) {
      case hub::Subscribed::Problem::too_many:
        return send(error_message("SUBSCRIPTION_LIMIT", "At most 1000 subscriptions on a connection."));
      case hub::Subscribed::Problem::unavailable: return give_up();
      case hub::Subscribed::Problem::none: break;
    }
    const core::ResumeDecision& decision = subscribed.decision;
    send(fluxora::api::message("subscribed", [&](core::JsonWriter& json) {
      write_topic(json, topic);
      json.key("resume").string(core::resume_name(decision.outcome));
      json.key("cursor").string(core::format_cursor({subscribed.epoch, decision.after_seq}));
      write_gap(json, decision);
    }));
  });
}

void StreamsSocket::unsubscribe(const Json& message) {
  const TopicOrError about = read_topic(message, /*must_be_valid=*/false);
  if (!about.error.empty()) return invalid(about.error);
  feed_->unsubscribe(about.topic);
  send(fluxora::api::message("unsubscribed", [&](core::JsonWriter& json) { write_topic(json, about.topic); }));
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
                    {{"connectionId", id_},
                     {"durationMs", std::int64_t{context_.clock.now() - opened_at_}},
                     {"code", std::uint64_t{code}},
                     {"reason", reason},
                     {"metrics", ports::LogField::Json{counts}}});
}

}  // namespace

std::unique_ptr<AddressLimit::Place> AddressLimit::take(const std::string& address) {
  const std::lock_guard lock(mutex_);
  std::size_t& open = open_[address];
  if (open >= limit_) return nullptr;
  ++open;
  return std::make_unique<Place>(*this, address);
}

bool AddressLimit::has_room(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(address);
  return found == open_.end() || found->second < limit_;
}

void AddressLimit::give_back(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(address);
  if (--found->second == 0) open_.erase(found);
}

void add_stream_socket(net::Router& router, const ApiContext& context) {
  const auto limit = std::make_shared<AddressLimit>(context.max_sockets_per_address);
  net::WebSocketEndpoint endpoint;
  endpoint.refuse = [limit, &context](const net::Request& request) -> std::optional<net::Response> {
    if (context.shutting_down()) return problem(503, "The service is shutting down.", request);
    if (limit->has_room(request.remote_address)) return std::nullopt;
    net::Response response = problem(429, "This address has all the connections it may have.", request);
    response.headers.emplace_back("Retry-After", "10");
    return response;
  };
  endpoint.open = [limit, &context](std::shared_ptr<net::WebSocketConnection> connection,
                                    const net::Request& request) -> std::shared_ptr<net::WebSocketListener> {
    // Two upgrades may race for the last place: the loser is closed instead of refused.
    auto place = limit->take(request.remote_address);
    if (!place) connection->close(close_try_again_later, "too many connections from this address");
    return std::make_shared<StreamsSocket>(context, std::move(connection), limit, std::move(place));
  };
  router.add_websocket("/ws/streams", std::move(endpoint));
}

}  // namespace fluxora::api
