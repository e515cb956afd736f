#include "socket_messages.hpp"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/strkey.hpp"
#include "query.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

using Json = nlohmann::json;
using Failed = tl::unexpected<SocketError>;

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

/// The member of a message that says what it is about.
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
  if (topic.event) json.key("event").string(core::event_name_text(*topic.event));
}

Failed invalid(std::string why) {
  return Failed({"INVALID_MESSAGE", std::move(why)});
}

/// A subscription to what can't be there is refused; unsubscribing from it is as good as from anything else.
std::string problem_of(const hub::Topic& topic) {
  switch (topic.kind) {
    case hub::Topic::Kind::all: break;
    case hub::Topic::Kind::stream:
      if (!core::is_stream_id(topic.value)) return "streamId must be the id of a stream, or \"*\".";
      break;
    case hub::Topic::Kind::recipient:
    case hub::Topic::Kind::sender:
      if (core::is_stream_party(topic.value)) break;
      return std::string(topic_member(topic.kind)) + " " + std::string(not_an_address);
  }
  return {};
}

tl::expected<hub::Topic, SocketError> read_topic(const Json& message) {
  hub::Topic topic;
  int given = 0;
  for (const auto kind : {hub::Topic::Kind::stream, hub::Topic::Kind::recipient, hub::Topic::Kind::sender}) {
    const std::string name(topic_member(kind));
    const auto member = message.find(name);
    if (member == message.end()) continue;
    ++given;
    if (!member->is_string() || member->get_ref<const std::string&>().empty())
      return invalid(name + " must be a text.");
    topic.kind = kind;
    topic.value = member->get<std::string>();
  }
  if (given != 1) return invalid("Exactly one of streamId, recipient and sender is needed.");
  if (topic.kind == hub::Topic::Kind::stream && topic.value == "*") topic = {};

  if (const auto event = message.find("event"); event != message.end()) {
    if (event->is_string()) topic.event = core::event_name_from_text(event->get_ref<const std::string&>());
    if (!topic.event) return invalid("event must be the name of an event.");
  }
  return topic;
}

tl::expected<SocketRequest, SocketError> read_subscribe(const Json& message) {
  auto topic = read_topic(message);
  if (!topic) return Failed(std::move(topic.error()));
  if (std::string problem = problem_of(*topic); !problem.empty()) return invalid(std::move(problem));
  SocketRequest request{SocketRequest::Kind::subscribe, std::move(*topic), {}};
  if (const auto cursor = message.find("after"); cursor != message.end()) {
    auto parsed = cursor->is_string() ? core::parse_cursor(cursor->get_ref<const std::string&>())
                                      : core::Result<core::Cursor>(core::ErrorCode::cursor_invalid);
    if (!parsed) return invalid("after must be a cursor that this service gave.");
    request.after = std::move(*parsed);
  }
  return request;
}

}  // namespace

tl::expected<SocketRequest, SocketError> read_socket_message(std::string_view text) {
  if (text.size() > max_socket_message_bytes) {
    return Failed({"PAYLOAD_TOO_LARGE", "A message has at most 4096 bytes."});
  }
  const Json message = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (message.is_discarded()) return Failed({"INVALID_JSON", "The message is not JSON."});
  if (!message.is_object()) return invalid("The message must be an object.");
  const auto type = message.find("type");
  if (type == message.end() || !type->is_string()) return invalid("type must be a text.");

  const auto& name = type->get_ref<const std::string&>();
  if (name == "ping") return SocketRequest{};
  if (name == "subscribe") return read_subscribe(message);
  if (name == "unsubscribe") {
    auto topic = read_topic(message);
    if (!topic) return Failed(std::move(topic.error()));
    return SocketRequest{SocketRequest::Kind::unsubscribe, std::move(*topic), {}};
  }
  return Failed({"UNKNOWN_TYPE", "type must be subscribe, unsubscribe or ping."});
}

hub::Frame socket_error(std::string_view code, std::string_view text) {
  return message("error", [&](core::JsonWriter& json) {
    json.key("code").string(code);
    json.key("message").string(text);
  });
}

hub::Frame socket_pong() {
  return message("pong", [](core::JsonWriter&) {});
}

hub::Frame socket_subscribed(const hub::Topic& topic, const hub::Subscribed& subscribed) {
  return message("subscribed", [&](core::JsonWriter& json) {
    write_topic(json, topic);
    write_resume(json, subscribed.epoch, subscribed.decision);
  });
}

hub::Frame socket_unsubscribed(const hub::Topic& topic) {
  return message("unsubscribed", [&](core::JsonWriter& json) { write_topic(json, topic); });
}

}  // namespace fluxora::api
