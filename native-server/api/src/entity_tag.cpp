#include "entity_tag.hpp"

namespace fluxora::api {
namespace {

constexpr std::string_view between_tags = " \t,";  // empty elements are ignored: RFC 9110 section 5.6.1.2

/// RFC 9110 section 8.8.3: visible ASCII but for the quote, or any byte above.
bool is_etag_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x21 && byte != 0x22 && byte != 0x7f;
}

/// The length of the tag that the text begins with; 0: it doesn't.
std::size_t tag_length(std::string_view text) {
  std::size_t at = text.substr(0, 2) == "W/" ? 2 : 0;
  if (at >= text.size() || text[at] != '"') return 0;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (!is_etag_character(text[at])) return 0;
  }
  return at < text.size() ? at + 1 : 0;
}

/// One line of If-None-Match.
bool names(std::string_view line, std::string_view etag) {
  if (line == "*") return true;
  while (!line.empty()) {
    const std::size_t comma = line.find(',');
    std::string_view tag = net::trim_white_space(line.substr(0, comma));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
    line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  }
  return false;
}

}  // namespace

std::string stream_etag(std::string_view epoch, std::uint64_t version, core::UnixSeconds as_of) {
  return "\"" + std::string(epoch) + "-" + std::to_string(version) + "-" + std::to_string(as_of) + "\"";
}

std::optional<std::vector<std::string_view>> entity_tags(std::string_view list) {
  std::vector<std::string_view> tags;
  while (true) {
    const std::size_t begin = list.find_first_not_of(between_tags);
    if (begin == std::string_view::npos) break;
    list.remove_prefix(begin);
    const std::size_t length = tag_length(list);
    if (length == 0) return std::nullopt;
    tags.push_back(list.substr(0, length));
    list.remove_prefix(length);
    const std::size_t next = list.find_first_not_of(" \t");
    if (next != std::string_view::npos && list[next] != ',') return std::nullopt;
  }
  if (tags.empty()) return std::nullopt;
  return tags;
}

bool if_none_match_names(const net::Request& request, std::string_view etag) {
  for (const auto& [name, value] : request.headers) {  // a list may come on several lines
    if (net::equal_ignoring_case(name, "If-None-Match") && names(value, etag)) return true;
  }
  return false;
}

}  // namespace fluxora::api
