#include "http_wire.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace fluxora::net {

namespace {

constexpr int max_skipped_lines = 4;
constexpr std::size_t max_method_bytes = 32;
constexpr std::size_t max_chunk_extension_bytes = 256;
constexpr std::size_t max_trailer_bytes = 8 * 1024;
constexpr int max_chunk_size_digits = 15;
constexpr std::size_t max_content_length_digits = 18;

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> token_table = make_token_table();

bool is_token_char(char c) noexcept {
  return token_table[static_cast<unsigned char>(c)];
}

bool is_field_value_char(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return (u >= 0x20 && u != 0x7f) || u == '\t';
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Calls `use` with each element of a comma-separated list.
template <class Use>
void for_each_element(std::string_view list, Use use) {
  while (true) {
    const std::size_t comma = list.find(',');
    use(trim_white_space(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

/// The next line without its CR LF; HeadScanner has checked that there is one.
std::string_view next_line(std::string_view& head) noexcept {
  const std::size_t end = head.find('\r');
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(std::min(head.size(), line.size() + 2));
  return line;
}

/// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(at < text.size() ? text[at] : 0); };
    const unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const unsigned char second_min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char second_max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0xc2 || lead > 0xf4 || byte(i + 1) < second_min || byte(i + 1) > second_max) return false;
    for (std::size_t at = i + 2; at < i + size; ++at)
      if ((byte(at) & 0xc0) != 0x80) return false;
    i += size;
  }
  return true;
}

/// uri-host [":" port] (RFC 9110 section 7.2), by its characters.
bool is_host(std::string_view host) noexcept {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
  });
}

/// Reads the fields and what they say about framing; `http_1_1` is already set.
class FieldReader {
 public:
  FieldReader(HeaderFields& headers, Framing& framing) : headers_(headers), framing_(framing) {}

  std::optional<WireError> read(std::string_view head) {
    while (true) {
      const std::string_view line = next_line(head);
      if (line.empty()) return {};
      if (auto error = field(line)) return error;
    }
  }
  [[nodiscard]] int hosts() const noexcept { return hosts_; }

 private:
  std::optional<WireError> field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return WireError{400, "a header line has no colon"};
    const std::string_view name = line.substr(0, colon);
    if (!is_token(name)) return WireError{400, "a header has a malformed name"};
    const std::string_view value = trim_white_space(line.substr(colon + 1));
    if (!is_field_value(value)) return WireError{400, "a header has a control character in its value"};
    headers_.emplace_back(name, value);
    switch (name.size()) {
      case 4:
        if (equal_ignoring_case(name, "host")) return host(value);
        break;
      case 6:
        if (equal_ignoring_case(name, "expect")) framing_.expect_continue = equal_ignoring_case(value, "100-continue");
        break;
      case 7:
        if (equal_ignoring_case(name, "upgrade")) upgrade(value);
        break;
      case 10:
        if (equal_ignoring_case(name, "connection")) connection(value);
        break;
      case 14:
        if (equal_ignoring_case(name, "content-length")) return content_length(value);
        break;
      case 17:
        if (equal_ignoring_case(name, "transfer-encoding")) return transfer_encoding(value);
        break;
      default: break;
    }
    return {};
  }

  std::optional<WireError> host(std::string_view value) {
    ++hosts_;
    if (!is_host(value)) return WireError{400, "the Host header is malformed"};
    return {};
  }

  void upgrade(std::string_view value) {
    for_each_element(value, [&](std::string_view protocol) {
      if (equal_ignoring_case(protocol, "websocket")) framing_.upgrade_websocket = true;
    });
  }

  void connection(std::string_view value) {
    for_each_element(value, [&](std::string_view option) {
      if (equal_ignoring_case(option, "close")) framing_.close = true;
      if (equal_ignoring_case(option, "upgrade")) framing_.connection_upgrade = true;
    });
  }

  std::optional<WireError> content_length(std::string_view value) {
    if (framing_.chunked) return WireError{400, "both Content-Length and Transfer-Encoding"};
    if (framing_.content_length) return WireError{400, "Content-Length is repeated"};
    if (value.empty() || value.size() > max_content_length_digits || !std::all_of(value.begin(), value.end(), is_digit))
      return WireError{400, "Content-Length is not a number"};
    std::uint64_t length = 0;
    for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    framing_.content_length = length;
    return {};
  }

  std::optional<WireError> transfer_encoding(std::string_view value) {
    if (framing_.content_length) return WireError{400, "both Content-Length and Transfer-Encoding"};
    if (framing_.chunked) return WireError{400, "Transfer-Encoding is repeated"};
    // RFC 9112 section 6.1: in an HTTP/1.0 message the framing can't be trusted.
    if (!framing_.http_1_1) return WireError{400, "Transfer-Encoding in an HTTP/1.0 message"};
    if (!equal_ignoring_case(value, "chunked")) return WireError{400, "the only known transfer encoding is chunked"};
    framing_.chunked = true;
    return {};
  }

  HeaderFields& headers_;
  Framing& framing_;
  int hosts_ = 0;
};

/// "HTTP/1.1" and "HTTP/1.0" by value, another version of HTTP as 505, anything else as 400.
std::optional<WireError> parse_version(std::string_view version, Framing& framing) {
  if (version == "HTTP/1.1") {
    framing.http_1_1 = true;
    return {};
  }
  if (version == "HTTP/1.0") {
    framing.http_1_1 = false;
    framing.close = true;
    return {};
  }
  if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
      is_digit(version[7]))
    return WireError{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  return WireError{400, "the request line is malformed"};
}

/// Path and query of a request target: origin-form, absolute-form, or asterisk-form (RFC 9112 section 3.2).
std::optional<WireError> parse_target(std::string_view method, std::string_view target, Request& request) {
  std::string_view origin = target;
  if (target == "*") {
    if (method != "OPTIONS") return WireError{400, "the target \"*\" is for OPTIONS only"};
    request.path = "*";
    return {};
  }
  if (target.front() != '/') {
    const std::size_t scheme_end = target.find("://");
    if (scheme_end == std::string_view::npos) return WireError{400, "the request target is malformed"};
    const std::string_view scheme = target.substr(0, scheme_end);
    if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https"))
      return WireError{400, "the request target has another scheme than http and https"};
    std::string_view rest = target.substr(scheme_end + 3);
    const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
    const std::string_view authority = rest.substr(0, authority_end);
    if (authority.empty() || !is_host(authority)) return WireError{400, "the request target's host is malformed"};
    origin = rest.substr(authority_end);
  }
  const std::size_t question = origin.find('?');
  std::string_view path = origin.substr(0, question);
  if (path.empty()) path = "/";
  auto decoded = percent_decode(path, /*keep_slashes=*/true);
  if (!decoded) return WireError{400, "the path has invalid percent-encoding"};
  if (!is_utf8(*decoded)) return WireError{400, "the path is not UTF-8"};
  request.path = std::move(*decoded);
  if (question == std::string_view::npos) return {};

  std::string_view query = origin.substr(question + 1);
  while (!query.empty()) {
    const std::size_t ampersand = query.find('&');
    const std::string_view pair = query.substr(0, ampersand);
    query.remove_prefix(ampersand == std::string_view::npos ? query.size() : ampersand + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals));
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!name || !value) return WireError{400, "the query has invalid percent-encoding"};
    if (!is_utf8(*name) || !is_utf8(*value)) return WireError{400, "the query is not UTF-8"};
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

}  // namespace

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_field_value(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_field_value_char);
}

bool is_request_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  });
}

std::optional<std::string> percent_decode(std::string_view text, bool keep_slashes) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return {};
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return {};
    const char c = static_cast<char>(high * 16 + low);
    if (c == '/' && keep_slashes)
      decoded.append(text.substr(i, 3));
    else
      decoded.push_back(c);
    i += 2;
  }
  return decoded;
}

HeadScanner::State HeadScanner::fail(unsigned status, std::string_view detail) {
  error_ = {status, detail};
  return State::failed;
}

HeadScanner::State HeadScanner::scan(std::string_view in) {
  while (true) {
    const std::size_t from = std::max(line_, searched_);
    const std::size_t feed = in.find('\n', from);
    if (feed == std::string_view::npos) {
      if (in.size() - begin_ > max_bytes_) return fail(431, "the header block is too large");
      // Another protocol (TLS, a binary one) is told so at once instead of after the deadline.
      if (line_ == begin_ && in.size() > begin_ && !is_token_char(in[begin_]) && in[begin_] != '\r')
        return fail(400, "the request line is malformed");
      searched_ = in.size();
      return State::need_more;
    }
    if (feed + 1 - begin_ > max_bytes_) return fail(431, "the header block is too large");
    std::string_view line = in.substr(line_, feed - line_);
    if (line.empty() || line.back() != '\r') return fail(400, "a line doesn't end in CR LF");
    line.remove_suffix(1);
    if (line.find('\r') != std::string_view::npos) return fail(400, "a line has a bare CR");
    const bool first = line_ == begin_;
    line_ = feed + 1;
    if (line.empty()) {
      if (!first) return State::complete;
      if (++skipped_lines_ > max_skipped_lines) return fail(400, "too many empty lines before the request line");
      begin_ = line_;
    } else if (line.front() == ' ' || line.front() == '\t') {
      return fail(400, "a line begins with white space");
    }
  }
}

std::optional<WireError> parse_request_head(std::string_view head, Request& request, Framing& framing) {
  const std::string_view line = next_line(head);
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = method_end == std::string_view::npos ? method_end : line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return WireError{400, "the request line is malformed"};
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  if (!is_token(method) || method.size() > max_method_bytes) return WireError{400, "the method is malformed"};
  if (target.empty() ||
      !std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; }))
    return WireError{400, "the request target is malformed"};
  request.method = method;
  request.target = target;
  if (auto error = parse_version(line.substr(target_end + 1), framing)) return error;
  if (auto error = parse_target(method, target, request)) return error;

  request.headers.reserve(12);
  FieldReader reader(request.headers, framing);
  if (auto error = reader.read(head)) return error;
  if (reader.hosts() > 1) return WireError{400, "the Host header is repeated"};
  if (reader.hosts() == 0 && framing.http_1_1) return WireError{400, "the Host header is missing"};
  return {};
}

std::optional<WireError> parse_response_head(std::string_view head, unsigned& status, HeaderFields& headers,
                                             Framing& framing) {
  const std::string_view line = next_line(head);
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' '))
    return WireError{0, "the status line is malformed"};
  if (parse_version(line.substr(0, 8), framing)) return WireError{0, "the status line has another version than HTTP/1"};
  status = 0;
  for (const char c : line.substr(9, 3)) {
    if (!is_digit(c)) return WireError{0, "the status line is malformed"};
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  if (status < 100) return WireError{0, "the status line is malformed"};
  return FieldReader(headers, framing).read(head);
}

bool ChunkedDecoder::step(char c) {
  switch (at_) {
    case At::size_start:
    case At::size: {
      const int digit = hex_value(c);
      if (digit >= 0) {
        if (++size_digits_ > max_chunk_size_digits) return false;
        remaining_ = remaining_ * 16 + static_cast<unsigned>(digit);
        at_ = At::size;
        return true;
      }
      if (at_ == At::size_start) return false;
      extension_bytes_ = 0;
      if (c == '\r')
        at_ = At::size_lf;
      else if (c == ';')
        at_ = At::extension;
      else if (c == ' ' || c == '\t')
        at_ = At::extension_space;
      else
        return false;
      return true;
    }
    case At::extension_space:
    case At::extension:
      if (++extension_bytes_ > max_chunk_extension_bytes) return false;
      if (at_ == At::extension_space) {
        if (c == ';') at_ = At::extension;
        return c == ';' || c == ' ' || c == '\t';
      }
      if (c == '\r') at_ = At::size_lf;
      return c == '\r' || is_field_value_char(c);
    case At::size_lf: at_ = remaining_ == 0 ? At::trailer_start : At::data; return c == '\n';
    case At::data_cr: at_ = At::data_lf; return c == '\r';
    case At::data_lf:
      at_ = At::size_start;
      size_digits_ = 0;
      return c == '\n';
    case At::trailer_start:
      if (c == '\r') {
        at_ = At::end_lf;
        return true;
      }
      at_ = At::trailer_name;
      return ++trailer_bytes_ <= max_trailer_bytes && is_token_char(c);
    case At::trailer_name:
      if (c == ':') at_ = At::trailer_value;
      return ++trailer_bytes_ <= max_trailer_bytes && (c == ':' || is_token_char(c));
    case At::trailer_value:
      if (c == '\r') at_ = At::trailer_lf;
      return ++trailer_bytes_ <= max_trailer_bytes && (c == '\r' || is_field_value_char(c));
    case At::trailer_lf: at_ = At::trailer_start; return c == '\n';
    case At::end_lf: at_ = At::end; return c == '\n';
    case At::data:
    case At::end: break;
  }
  return false;
}

ChunkedDecoder::Result ChunkedDecoder::decode(std::string_view in, std::string& body, std::size_t max_body_bytes) {
  std::size_t i = 0;
  while (i < in.size()) {
    if (at_ == At::data) {
      if (remaining_ > max_body_bytes - std::min(body.size(), max_body_bytes)) return {State::too_large, i};
      const std::size_t length = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, in.size() - i));
      body.append(in.substr(i, length));
      i += length;
      remaining_ -= length;
      if (remaining_ == 0) at_ = At::data_cr;
      continue;
    }
    if (!step(in[i++])) return {State::failed, i};
    if (at_ == At::end) return {State::complete, i};
  }
  return {State::need_more, i};
}

}  // namespace fluxora::net
