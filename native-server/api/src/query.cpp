#include "query.hpp"

#include <algorithm>
#include <charconv>

#include "fluxora/core/strkey.hpp"

namespace fluxora::api {

std::optional<std::string_view> QueryParameters::text(std::string_view name) {
  known_.push_back(name);
  std::optional<std::string_view> found;
  for (const auto& [key, value] : request_.query) {
    if (key != name) continue;
    if (found) {
      add_problem(name, "is given more than once.");
      return std::nullopt;
    }
    found = value;
  }
  return found;
}

std::optional<std::uint64_t> QueryParameters::number(std::string_view name, std::uint64_t min, std::uint64_t max) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), value);
  if (error != std::errc{} || end != given->data() + given->size() || value < min || value > max) {
    add_problem(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) + ".");
    return std::nullopt;
  }
  return value;
}

std::optional<bool> QueryParameters::boolean(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  if (*given == "true") return true;
  if (*given != "false") add_problem(name, "must be true or false.");
  return false;
}

std::optional<std::string> QueryParameters::address(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  if (!core::is_stream_party(*given)) {
    add_problem(name, not_an_address);
    return std::nullopt;
  }
  return std::string(*given);
}

std::optional<ports::StatusFilter> QueryParameters::stream_status(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  if (*given == "scheduled") return ports::StatusFilter::scheduled;
  if (*given == "active") return ports::StatusFilter::active;
  if (*given == "paused") return ports::StatusFilter::paused;
  if (*given == "completed") return ports::StatusFilter::completed;
  if (*given == "cancelled") return ports::StatusFilter::cancelled;
  add_problem(name, "must be scheduled, active, paused, completed or cancelled.");
  return std::nullopt;
}

std::optional<std::string> QueryParameters::stream_id(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  if (!core::is_stream_id(*given)) {
    add_problem(name, not_a_stream_id);
    return std::nullopt;
  }
  return std::string(*given);
}

std::optional<core::EventName> QueryParameters::event_name(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto event = core::event_name_from_text(*given);
  if (!event) add_problem(name, "is not the name of an event.");
  return event;
}

std::optional<core::Cursor> QueryParameters::cursor(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  auto parsed = core::parse_cursor(*given);
  if (!parsed) {
    add_problem(name, not_a_cursor);
    return std::nullopt;
  }
  return std::move(*parsed);
}

void QueryParameters::add_problem(std::string_view name, std::string_view message) {
  problems_.push_back({std::string(name), "VALIDATION_ERROR", std::string(message)});
}

std::vector<FieldProblem> QueryParameters::problems() && {
  const auto is_known = [&](const auto& given) {
    return std::find(known_.begin(), known_.end(), given.first) != known_.end();
  };
  if (std::all_of(request_.query.begin(), request_.query.end(), is_known)) return std::move(problems_);
  const std::string message = "is not a parameter of this resource, which takes " + listed(known_) + ".";
  std::size_t unknown = 0;
  for (const auto& given : request_.query) {
    if (is_known(given)) continue;
    if (++unknown > max_unknown_named) break;
    add_problem(shown_name(given.first), message);
  }
  return std::move(problems_);
}

bool refuse_query(const net::Request& request, const net::Respond& respond) {
  const auto problems = QueryParameters(request).problems();
  if (problems.empty()) return false;
  respond(validation_problem(request, problems));
  return true;
}

}  // namespace fluxora::api
