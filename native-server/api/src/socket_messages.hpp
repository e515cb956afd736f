#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "fluxora/core/cursor.hpp"
#include "fluxora/hub/feed_session.hpp"
#include "fluxora/hub/topic.hpp"

/// The messages of /ws/streams, SPEC section 6, as texts and as what they mean.
namespace fluxora::api {

/// Longest message of a client's.
inline constexpr std::size_t max_socket_message_bytes = 4'096;

/// What a client's message asks for.
struct SocketRequest {
  enum class Kind : std::uint8_t { subscribe, unsubscribe, ping };
  Kind kind = Kind::ping;
  hub::Topic topic;                   ///< of subscribe and unsubscribe
  std::optional<core::Cursor> after;  ///< of subscribe
};

/// What is wrong with it.
struct SocketError {
  std::string_view code;  ///< PAYLOAD_TOO_LARGE, INVALID_JSON, INVALID_MESSAGE or UNKNOWN_TYPE
  std::string message;
};

/// What is wrong first is told, in the order of the codes. Unknown members are ignored.
[[nodiscard]] tl::expected<SocketRequest, SocketError> read_socket_message(std::string_view text);

[[nodiscard]] hub::Frame socket_error(std::string_view code, std::string_view message);
[[nodiscard]] hub::Frame socket_pong();
[[nodiscard]] hub::Frame socket_subscribed(const hub::Topic& topic, const hub::Subscribed& subscribed);
[[nodiscard]] hub::Frame socket_unsubscribed(const hub::Topic& topic);

}  // namespace fluxora::api
