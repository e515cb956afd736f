#include "private_answers.hpp"

#include <limits>
#include <utility>

#include "fluxora/core/decimal.hpp"

namespace fluxora::api {

net::Response private_response(std::string body, unsigned status) {
  net::Response response;
  response.status = status;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

void write_time(core::JsonWriter& json, std::string_view name, const std::optional<core::UnixMillis>& time) {
  json.key(name);
  time ? json.string(core::format_rfc3339_millis(*time)) : json.null();
}

void write_text_or_null(core::JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  text.empty() ? json.null() : json.string(text);
}

std::optional<std::uint64_t> row_id(std::string_view text) {
  constexpr auto max_id = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());  // bigint's
  const auto id = core::parse_u64(text);
  return id && *id <= max_id ? id : std::nullopt;
}

}  // namespace fluxora::api
