#include "response_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <stdexcept>

#include "http_wire.hpp"

namespace fluxora::net {

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

/// Fields that say how the message is framed or that every response has anyway: a handler's own are dropped.
bool belongs_to_net(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 6> names = {"Connection", "Content-Length",    "Date",
                                                     "Keep-Alive", "Transfer-Encoding", "X-Request-Id"};
  return std::any_of(names.begin(), names.end(), [&](std::string_view own) { return equal_ignoring_case(own, name); });
}

bool is_field(const std::pair<std::string, std::string>& field) noexcept {
  return is_token(field.first) && is_field_value(field.second);
}

}  // namespace

std::string_view reason_phrase(unsigned status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  std::array<char, 2 * sizeof(std::size_t)> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data())).append("\r\n");
  out.append(bytes).append("\r\n");
}

std::string_view body_of(const Response& response) noexcept {
  if (const auto* own = std::get_if<std::string>(&response.body)) return *own;
  const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body);
  return shared != nullptr && *shared ? std::string_view(**shared) : std::string_view();
}

ResponseWriter::ResponseWriter(const HeaderFields& common_headers) {
  for (const auto& field : common_headers) {
    if (!is_field(field)) throw std::invalid_argument("the common header " + field.first + " is malformed");
    append_field(common_, field.first, field.second);
  }
}

bool ResponseWriter::is_writable(const Response& response) noexcept {
  const auto* stream = std::get_if<std::shared_ptr<BodyStream>>(&response.body);
  if (stream != nullptr && *stream == nullptr) return false;
  return response.status >= 200 && response.status <= 599 && is_field_value(response.content_type) &&
         std::all_of(response.headers.begin(), response.headers.end(), is_field);
}

std::string_view ResponseWriter::date() {
  const std::time_t now = std::time(nullptr);
  if (now == date_second_) return date_;
  date_second_ = now;
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                                   months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                                   utc.tm_min, utc.tm_sec);
  date_.assign(text.data(), static_cast<std::size_t>(length));
  return date_;
}

void ResponseWriter::write_head(std::string& out, const Response& response, const ResponseFraming& framing,
                                std::string_view request_id) {
  out.append("HTTP/1.1 ");
  append_number(out, response.status);
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  append_field(out, "Date", date());
  append_field(out, "X-Request-Id", request_id);
  if (has_body(response.status)) {
    if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
    if (framing.content_length) {
      out.append("Content-Length: ");
      append_number(out, *framing.content_length);
      out.append("\r\n");
    } else if (framing.chunked) {
      append_field(out, "Transfer-Encoding", "chunked");
    }
  }
  // 426 names what to upgrade to, and Upgrade wants to be named in Connection (RFC 9110 section 7.8).
  if (response.status == 426)
    out.append(framing.close ? "Connection: Upgrade, close\r\n" : "Connection: Upgrade\r\n");
  else if (framing.close)
    out.append("Connection: close\r\n");
  for (const auto& [name, value] : response.headers)
    if (!belongs_to_net(name)) append_field(out, name, value);
  out.append(common_).append("\r\n");
}

void ResponseWriter::write_switch(std::string& out, std::string_view accept, std::string_view extensions,
                                  std::string_view request_id) {
  out.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
  append_field(out, "Sec-WebSocket-Accept", accept);
  if (!extensions.empty()) append_field(out, "Sec-WebSocket-Extensions", extensions);
  append_field(out, "Date", date());
  append_field(out, "X-Request-Id", request_id);
  out.append(common_).append("\r\n");
}

}  // namespace fluxora::net
