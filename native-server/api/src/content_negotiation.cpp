#include "content_negotiation.hpp"

#include <optional>

namespace fluxora::api {
namespace {

/// Takes what stands before the first `separator`, without white space around it.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = net::trim_white_space(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

/// `0`, `0.25`, `1.000`, in thousandths. RFC 9110 section 12.4.2.
std::optional<unsigned> quality_from_text(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned value = text[0] == '1' ? 1'000 : 0;
  unsigned place = 100;
  for (const char digit : text.substr(text.size() > 1 ? 2 : 1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value += place * static_cast<unsigned>(digit - '0');
    place /= 10;
  }
  return value <= 1'000 ? std::optional(value) : std::nullopt;
}

/// The quality among an item's parameters: 1 unless it says another.
std::optional<unsigned> quality_of(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take(parameters, ';');
    const std::string_view name = take(parameter, '=');
    if (net::equal_ignoring_case(name, "q")) return quality_from_text(net::trim_white_space(parameter));
  }
  return 1'000;
}

/// 3: this type, 2: any of its kind, 1: any at all, 0: another.
unsigned specificity(std::string_view range, std::string_view type, std::string_view subtype) {
  if (range == "*/*") return 1;
  const std::string_view range_type = take(range, '/');
  if (!net::equal_ignoring_case(range_type, type)) return 0;
  if (range == "*") return 2;
  return net::equal_ignoring_case(range, subtype) ? 3 : 0;
}

/// The quality of the most specific item of a header's lines, 0 where all are of specificity 0; none without such a
/// header.
template <class SpecificityOf>
std::optional<unsigned> quality_in(const net::Request& request, std::string_view header, SpecificityOf specificity_of) {
  bool given = false;
  unsigned best = 0;
  unsigned quality = 0;
  for (const auto& [name, value] : request.headers) {
    if (!net::equal_ignoring_case(name, header)) continue;
    given = true;
    for (std::string_view rest = value; !rest.empty();) {
      std::string_view parameters = take(rest, ',');
      const unsigned specific = specificity_of(take(parameters, ';'));
      const auto named = quality_of(parameters);
      if (!named || specific <= best) continue;
      best = specific;
      quality = *named;
    }
  }
  return given ? std::optional(quality) : std::nullopt;
}

}  // namespace

unsigned accepted_quality(const net::Request& request, std::string_view type, std::string_view subtype) {
  return quality_in(request, "Accept", [=](std::string_view range) { return specificity(range, type, subtype); })
      .value_or(1'000);
}

unsigned accepted_coding_quality(const net::Request& request, std::string_view coding) {
  return quality_in(request, "Accept-Encoding",
                    [=](std::string_view named) -> unsigned {
                      if (net::equal_ignoring_case(named, coding)) return 2;
                      return named == "*" ? 1 : 0;
                    })
      .value_or(0);
}

}  // namespace fluxora::api
