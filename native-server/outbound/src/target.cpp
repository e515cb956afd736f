#include "target.hpp"

#include <algorithm>
#include <charconv>

namespace fluxora::outbound {
namespace {

constexpr std::string_view https = "https://";
constexpr std::string_view http = "http://";
constexpr unsigned max_port = 65'535;

/// ASCII's, whatever the locale.
bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equal_ignoring_case(text.substr(0, start.size()), start);
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

/// Whether a host's last label is a number, which only addresses end in: one that isn't four plain decimals by now is a
/// spelling that some resolver may yet understand.
bool ends_in_a_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view label = host.substr(host.rfind('.') + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return label.empty() || std::all_of(label.begin(), label.end(), is_digit) || starts_with_ignoring_case(label, "0x");
}

/// RFC 6761 section 6.3: names that are loopback by themselves.
bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return equal_ignoring_case(host, "localhost") || ends_with_ignoring_case(host, ".localhost");
}

bool allows_loopback(const TargetRules& rules) {
  return rules.allow(*core::parse_ip_address("127.0.0.1")) || rules.allow(*core::parse_ip_address("::1"));
}

/// What other parsers of URLs might read otherwise than libcurl's, and what isn't wanted.
std::optional<std::string> form_problem(std::string_view url) {
  if (url.size() > max_target_length) return "must have at most 2,048 bytes.";
  const auto travels = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::all_of(url.begin(), url.end(), travels))
    return "must be ASCII without spaces and control characters: names as xn--…, anything else with %.";
  const bool secure = starts_with_ignoring_case(url, https);
  if (!secure && !starts_with_ignoring_case(url, http)) return "must begin with https://.";
  if (url.find('#') != std::string_view::npos) return "must not have a fragment.";
  url.remove_prefix(secure ? https.size() : http.size());
  const std::string_view authority = url.substr(0, url.find_first_of("/?"));
  if (authority.find('@') != std::string_view::npos) return "must not have user information.";
  if (authority.empty()) return "must have a host.";
  if (authority.find_first_of("%\\") != std::string_view::npos)
    return "must have a plain host, without zone, % and backslash.";
  return std::nullopt;
}

std::string part_of(CURLU* parsed, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(parsed, part, &text, 0) != CURLUE_OK) return {};
  return CurlText(text).get();
}

std::optional<std::string> port_problem(CURLU* parsed) {
  const std::string port = part_of(parsed, CURLUPART_PORT);
  if (port.empty()) return std::nullopt;  // the scheme's own
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error == std::errc{} && end == port.data() + port.size() && number > 0 && number <= max_port) return std::nullopt;
  return "must have a port of 1 to 65535.";
}

std::optional<std::string> host_problem(std::string_view host, const TargetRules& rules) {
  const auto address = core::parse_ip_address(host);
  const bool refused = address ? !rules.allow(*address) : is_localhost(host) && !allows_loopback(rules);
  if (refused) return "must not lead to an address that isn't public.";
  if (address) return std::nullopt;
  if (!std::all_of(host.begin(), host.end(), is_name_character) || ends_in_a_number(host))
    return "must have a name or an address as its host.";
  return std::nullopt;
}

bool is_http_host(std::string_view host, const TargetRules& rules) {
  const auto address = core::parse_ip_address(host);
  return std::any_of(rules.http_hosts.begin(), rules.http_hosts.end(), [&](const std::string& allowed) {
    return address ? core::parse_ip_address(allowed) == address : equal_ignoring_case(allowed, host);
  });
}

}  // namespace

bool TargetRules::allow(const core::IpAddress& address) const noexcept {
  return core::is_public_address(address) ||
         std::any_of(private_networks.begin(), private_networks.end(),
                     [&](const core::IpNetwork& network) { return network.contains(address); });
}

std::optional<std::string> read_target(CURLU* parsed, std::string_view url, const TargetRules& rules) {
  if (auto problem = form_problem(url)) return problem;
  if (curl_url_set(parsed, CURLUPART_URL, std::string(url).c_str(), 0) != CURLUE_OK)
    return "must be a URL with a host, and a port of 1 to 65535 if any.";
  if (auto problem = port_problem(parsed)) return problem;
  const std::string text = part_of(parsed, CURLUPART_HOST);
  std::string_view host = text;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (auto problem = host_problem(host, rules)) return problem;
  if (part_of(parsed, CURLUPART_SCHEME) != "https" && !is_http_host(host, rules))
    return "must be https: plain http is allowed only to hosts that the configuration names.";
  return std::nullopt;
}

std::optional<std::string> target_problem(std::string_view url, const TargetRules& rules) {
  const UrlHandle parsed(curl_url());
  if (parsed == nullptr) return "could not be read.";
  return read_target(parsed.get(), url, rules);
}

}  // namespace fluxora::outbound
