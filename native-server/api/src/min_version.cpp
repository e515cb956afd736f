#include "min_version.hpp"

#include <charconv>
#include <limits>

namespace fluxora::api {
namespace {

constexpr std::string_view header_name = "X-Fluxora-Min-Version";

std::optional<std::uint64_t> version_of(std::string_view text) {
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  constexpr auto last = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (version > last) return std::nullopt;
  return version;
}

}  // namespace

void check_min_version(const net::Request& request, QueryParameters& parameters) {
  const auto text = request.header(header_name);
  if (text && !version_of(*text)) parameters.add_problem(header_name, "must be a version: a whole number.");
}

std::uint64_t min_version(const net::Request& request) {
  const auto text = request.header(header_name);
  return text ? version_of(*text).value_or(0) : 0;
}

std::optional<net::Response> refuse_stale(const net::Request& request, std::uint64_t head_seq) {
  if (min_version(request) <= head_seq) return std::nullopt;
  net::Response response = problem(503, "That version isn't here yet. Try again shortly.", request);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace fluxora::api
