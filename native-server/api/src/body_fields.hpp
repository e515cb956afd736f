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

/// What `read`, called with a JsonFields, makes of an object's members. None where it was answered instead: one 400
/// that names all of `problems` and of what is wrong with the members.
template <class Read>
[[nodiscard]] std::optional<std::invoke_result_t<Read, JsonFields&>> read_members(const nlohmann::json& object,
                                                                                  const net::Request& request,
                                                                                  const net::Respond& respond,
                                                                                  std::vector<FieldProblem> problems,
                                                                                  Read read) {
  JsonFields fields(object);
  std::optional<std::invoke_result_t<Read, JsonFields&>> made = read(fields);
  for (FieldProblem& problem : std::move(fields).problems()) problems.push_back(std::move(problem));
  if (problems.empty()) return made;
  respond(validation_problem(request, problems));
  return std::nullopt;
}

/// The same of a request's body. None as well where it was answered with 415 or 400 for the body as a whole.
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
  return read_members(std::get<nlohmann::json>(body), request, respond, std::move(problems), std::move(read));
}

/// The same of a resource that takes no parameters.
template <class Read>
[[nodiscard]] auto read_body(const net::Request& request, const net::Respond& respond, Read read) {
  return read_body(request, respond, QueryParameters(request).problems(), std::move(read));
}

/// The same where nothing has to be said: no body, whatever its type, counts as {}.
template <class Read>
[[nodiscard]] auto read_optional_body(const net::Request& request, const net::Respond& respond, Read read) {
  if (!request.body.empty()) return read_body(request, respond, std::move(read));
  return read_members(nlohmann::json::object(), request, respond, QueryParameters(request).problems(), std::move(read));
}

}  // namespace fluxora::api
