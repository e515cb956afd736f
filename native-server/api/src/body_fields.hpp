#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "json_body.hpp"
#include "json_fields.hpp"
#include "query.hpp"

namespace fluxora::api {

/// What `read`, called with a JsonFields, makes of the members of a request's body. None where it was answered instead:
/// 415 or 400 for the body as a whole, or one 400 that names all of `problems` and of what is wrong with the members.
template <class Read>
[[nodiscard]] std::optional<std::invoke_result_t<Read, JsonFields&>> read_body(const net::Request& request,
                                                                               const net::Respond& respond,
                                                                               std::vector<FieldProblem> problems,
                                                                               Read read) {
  auto body = read_json_object(request);
  if (auto* wrong = std::get_if<net::Response>(&body)) {
    respond(std::move(*wrong));
    return std::nullopt;
  }
  JsonFields fields(std::get<nlohmann::json>(body));
  std::optional<std::invoke_result_t<Read, JsonFields&>> made = read(fields);
  for (FieldProblem& problem : std::move(fields).problems()) problems.push_back(std::move(problem));
  if (problems.empty()) return made;
  respond(validation_problem(request, problems));
  return std::nullopt;
}

/// The same of a resource that takes no parameters.
template <class Read>
[[nodiscard]] auto read_body(const net::Request& request, const net::Respond& respond, Read read) {
  return read_body(request, respond, QueryParameters(request).problems(), std::move(read));
}

}  // namespace fluxora::api
