#include "websocket_handshake.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "websocket_deflate.hpp"

namespace fluxora::net {

namespace {

struct Parameter {
  std::string_view name;
  std::optional<std::string> value;
};

/// Reads RFC 6455 section 9.1's lists from left to right.
class ListReader {
 public:
  explicit ListReader(std::string_view text) : text_(text) { skip_space(); }

  /// Goes to the next element, past empty ones (RFC 9110 section 5.6.1.2). False at the list's end.
  bool find_element() noexcept {
    while (take(',')) {
    }
    return !text_.empty();
  }
  [[nodiscard]] bool behind_element() const noexcept { return text_.empty() || text_.front() == ','; }
  bool take(char c) noexcept {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    skip_space();
    return true;
  }
  /// Empty: there is none.
  std::string_view token() noexcept {
    std::size_t size = 0;
    while (size < text_.size() && is_token(text_.substr(size, 1))) ++size;
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(size);
    skip_space();
    return taken;
  }
  /// A token, or a quoted string that holds one.
  std::optional<std::string> value() {
    if (text_.empty() || text_.front() != '"') {
      const std::string_view plain = token();
      return plain.empty() ? std::nullopt : std::optional<std::string>(plain);
    }
    std::string unquoted;
    std::size_t at = 1;
    for (; at < text_.size() && text_[at] != '"'; ++at) {
      if (text_[at] == '\\') ++at;
      if (at < text_.size()) unquoted += text_[at];
    }
    if (at >= text_.size() || !is_token(unquoted)) return std::nullopt;
    text_.remove_prefix(at + 1);
    skip_space();
    return unquoted;
  }

 private:
  void skip_space() noexcept {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) text_.remove_prefix(1);
  }
  std::string_view text_;
};

bool is_window_bits(const std::string& text) noexcept {
  return (text.size() == 1 && text[0] >= '8' && text[0] <= '9') ||
         (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5');
}

/// The answer to one offer of permessage-deflate; none: declined.
std::optional<std::string> answer_offer(const std::vector<Parameter>& parameters) {
  std::string answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, value] = parameters[i];
    const auto same_name = [&](const Parameter& other) { return other.name == name; };
    if (std::any_of(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(i), same_name)) return {};
    if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
      if (value) return {};
    } else if (name == "client_max_window_bits") {
      if (value && !is_window_bits(*value)) return {};
    } else if (name == "server_max_window_bits") {
      // A smaller window would need frames of its own.
      if (!value || !is_window_bits(*value) || std::stoi(*value) < deflate_window_bits) return {};
      answer += "; server_max_window_bits=" + std::to_string(deflate_window_bits);
    } else {
      return {};
    }
  }
  return answer;
}

/// The fields of that name as one list; RFC 9110 section 5.2 lets a list come on several lines.
std::string joined(const HeaderFields& headers, std::string_view name) {
  std::string all;
  for (const auto& [field, value] : headers) {
    if (!equal_ignoring_case(field, name)) continue;
    if (!all.empty()) all += ", ";
    all += value;
  }
  return all;
}

bool are_tokens(std::string_view list) {
  ListReader reader(list);
  bool any = false;
  for (; reader.find_element(); any = true)
    if (reader.token().empty() || !reader.behind_element()) return false;
  return any;
}

/// 16 bytes in base64.
bool is_key(std::string_view key) noexcept {
  return key.size() == 24 && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
         });
}

/// RFC 6455 section 4.2.2, item 5.4.
std::string accept_of(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> base64;
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return {base64.begin(), base64.begin() + size};
}

}  // namespace

std::optional<std::string> agree_on_deflate(std::string_view offers) {
  ListReader reader(offers);
  std::string answer;
  while (reader.find_element()) {
    const std::string_view extension = reader.token();
    if (extension.empty()) return std::nullopt;
    std::vector<Parameter> parameters;
    while (reader.take(';')) {
      Parameter parameter{reader.token(), {}};
      if (parameter.name.empty()) return std::nullopt;
      if (reader.take('=')) {
        parameter.value = reader.value();
        if (!parameter.value) return std::nullopt;
      }
      parameters.push_back(std::move(parameter));
    }
    if (!reader.behind_element()) return std::nullopt;
    if (answer.empty() && extension == "permessage-deflate") answer = answer_offer(parameters).value_or("");
  }
  return answer;
}

std::optional<WireError> read_websocket_handshake(const Request& request, bool compress,
                                                  WebSocketHandshake& handshake) {
  const std::string_view key = request.header("Sec-WebSocket-Key").value_or("");
  if (!is_key(key)) return WireError{400, "the Sec-WebSocket-Key is malformed"};
  if (request.header("Sec-WebSocket-Protocol") && !are_tokens(joined(request.headers, "Sec-WebSocket-Protocol")))
    return WireError{400, "the Sec-WebSocket-Protocol is malformed"};
  if (request.header("Sec-WebSocket-Extensions")) {
    auto agreed = agree_on_deflate(joined(request.headers, "Sec-WebSocket-Extensions"));
    if (!agreed) return WireError{400, "the Sec-WebSocket-Extensions are malformed"};
    if (compress) handshake.extensions = std::move(*agreed);
  }
  handshake.accept = accept_of(key);
  return {};
}

}  // namespace fluxora::net
