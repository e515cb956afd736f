#include <algorithm>
#include <stdexcept>

#include "fluxora/net/http_client.hpp"

namespace fluxora::net {

// What is wrong is said without the URL itself: it may carry a key.
Url parse_url(std::string_view text) {
  const auto refuse = [](const char* why) { throw std::invalid_argument(std::string("URL: ") + why); };

  if (!std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; }))
    refuse("has white space, a control character or a character outside ASCII");
  Url url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) refuse("has no scheme");
  const std::string_view scheme = text.substr(0, scheme_end);
  if (equal_ignoring_case(scheme, "https"))
    url.secure = true;
  else if (!equal_ignoring_case(scheme, "http"))
    refuse("has another scheme than http and https");
  if (text.find('#') != std::string_view::npos) refuse("has a fragment");

  std::string_view rest = text.substr(scheme_end + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority_end);
  if (authority.find('@') != std::string_view::npos) refuse("has user information");

  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) refuse("has an unfinished IPv6 address");
    const std::string_view address = authority.substr(1, bracket - 1);
    if (address.find(':') == std::string_view::npos ||
        address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      refuse("has a malformed IPv6 address");
    url.host = address;
    authority.remove_prefix(bracket + 1);
    if (!authority.empty()) {
      if (authority.front() != ':') refuse("has a malformed port");
      has_port = true;
      port = authority.substr(1);
    }
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) {
      has_port = true;
      port = authority.substr(colon + 1);
    }
    if (!std::all_of(url.host.begin(), url.host.end(), [](char c) {
          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
                 c == '_';
        }))
      refuse("has a malformed host");
  }
  if (url.host.empty()) refuse("has no host");

  if (has_port) {
    unsigned number = 0;
    if (port.empty() || port.size() > 5) refuse("has a malformed port");
    for (const char c : port) {
      if (c < '0' || c > '9') refuse("has a malformed port");
      number = number * 10 + static_cast<unsigned>(c - '0');
    }
    if (number == 0 || number > 65535) refuse("has a port out of range");
    url.port = std::to_string(number);
  } else {
    url.port = url.secure ? "443" : "80";
  }
  if (!rest.starts_with('/')) url.target = "/";
  url.target += rest;
  return url;
}

}  // namespace fluxora::net
