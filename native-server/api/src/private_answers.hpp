#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "access.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

// What the routes share that always need a credential: those under /admin and /api/webhooks.

/// A route for callers with that scope alone. `handle`: (context, caller, request, respond).
template <class Handle>
void add_guarded_route(net::Router& router, const ApiContext& context, Access access, std::string_view method,
                       std::string_view pattern, Handle handle) {
  router.add(
      method, pattern,
      guarded(context, access,
              [&context, handle](const Caller& caller, std::shared_ptr<const net::Request> request,
                                 net::Respond respond) { handle(context, caller, request, std::move(respond)); }));
}

/// A JSON answer; nothing of what these callers see is kept on the way.
[[nodiscard]] net::Response private_response(std::string body, unsigned status = 200);

/// A member with an RFC 3339 time in milliseconds, or null.
void write_time(core::JsonWriter& json, std::string_view name, const std::optional<core::UnixMillis>& time);

/// A member with a text, or null where it is empty.
void write_text_or_null(core::JsonWriter& json, std::string_view name, std::string_view text);

/// The number of a row, as answers show it in decimal; none for what can't be one.
[[nodiscard]] std::optional<std::uint64_t> row_id(std::string_view text);

}  // namespace fluxora::api
