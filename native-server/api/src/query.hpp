#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/cursor.hpp"
#include "fluxora/ports/stream_reader.hpp"
#include "problem.hpp"

namespace fluxora::api {

/// What is said of a text that is no address.
inline constexpr std::string_view not_an_address = "must be a Stellar address, G… or C….";
/// And of one that is no cursor of the log, or no id of a stream.
inline constexpr std::string_view not_a_cursor = "must be a cursor that this service gave.";
inline constexpr std::string_view not_a_stream_id = "is not the id of a stream.";

/// Reads a request's query parameters and gathers everything that is wrong with them: what a route doesn't ask for is
/// unknown, what comes twice is refused. Ask for all parameters first, then look at problems().
class QueryParameters {
 public:
  explicit QueryParameters(const net::Request& request) : request_(request) {}

  /// The text of a parameter, or none. An empty one counts as given.
  std::optional<std::string_view> text(std::string_view name);
  /// A whole number within min..max.
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t min, std::uint64_t max);
  /// "true" or "false".
  std::optional<bool> boolean(std::string_view name);
  /// A StrKey G… or C….
  std::optional<std::string> address(std::string_view name);
  /// A stream's status, as lists filter by it.
  std::optional<ports::StatusFilter> stream_status(std::string_view name);
  /// The id of a stream.
  std::optional<std::string> stream_id(std::string_view name);
  /// The name of an event.
  std::optional<core::EventName> event_name(std::string_view name);
  /// A log cursor.
  std::optional<core::Cursor> cursor(std::string_view name);

  void add_problem(std::string_view name, std::string_view message);

  /// Everything found, unknown parameters included. Empty: the query is good.
  [[nodiscard]] std::vector<FieldProblem> problems() &&;

 private:
  const net::Request& request_;
  std::vector<std::string_view> known_;
  std::vector<FieldProblem> problems_;
};

/// Of a resource that takes no parameters: true where there are some, and it has answered.
[[nodiscard]] bool refuse_query(const net::Request& request, const net::Respond& respond);

}  // namespace fluxora::api
