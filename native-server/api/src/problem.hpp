#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/net/http_message.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::api {

/// One thing that is wrong with a request.
struct FieldProblem {
  std::string field;
  std::string code;
  std::string message;
};

/// An error as RFC 9457 has it, with our members: error, requestId, errors. SPEC section 5.
/// The stable code follows from the status; `errors` is written when there are any.
[[nodiscard]] net::Response problem(unsigned status, std::string_view detail, const net::Request& request,
                                    const std::vector<FieldProblem>& errors = {});

/// A small body can be wrong in many thousands of ways; an answer needn't be larger for that.
inline constexpr std::size_t max_problems_told = 100;
/// 400 for what is wrong with the request's fields: the first so many, and the number of the others.
[[nodiscard]] net::Response validation_problem(const net::Request& request, const std::vector<FieldProblem>& errors);

/// A second that a past lies at which was pruned; it is known from `known_from` on.
[[nodiscard]] FieldProblem before_known(std::string_view field, core::UnixSeconds known_from);

/// Of names that nobody knows a request can have thousands, and long ones; an answer needn't show more than this.
inline constexpr std::size_t max_unknown_named = 20;
/// A name that a client made up, cut where it is long.
[[nodiscard]] std::string shown_name(std::string_view name);

/// "a, b and c"; "none" of none.
[[nodiscard]] std::string listed(const std::vector<std::string_view>& names);

/// 503 with Retry-After, or 500, for a store that has no answer.
[[nodiscard]] net::Response store_problem(ports::StoreFailure failure, const net::Request& request);

}  // namespace fluxora::api
