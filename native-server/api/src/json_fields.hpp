#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/cursor.hpp"
#include "fluxora/core/unix_time.hpp"
#include "problem.hpp"

namespace fluxora::api {

/// Reads the members of a body's object and gathers everything that is wrong with them: those that nobody asks for are
/// unknown. Ask for all first, then look at problems().
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& object) : object_(object) {}

  /// An amount, which must be there. Its problems have the DECIMAL_ codes of SPEC section 1.
  std::optional<core::Amount> amount(std::string_view name);
  /// A StrKey G… or C…, which must be there.
  std::optional<std::string> address(std::string_view name);
  /// A log cursor, which must be there.
  std::optional<core::Cursor> cursor(std::string_view name);
  /// The same; none where absent or null.
  std::optional<core::Cursor> optional_cursor(std::string_view name);
  /// Unix seconds: a number up to 2^53 - 1, or a string of digits up to 2^64 - 1. None where absent or null.
  std::optional<core::UnixSeconds> seconds(std::string_view name);
  /// A string, which must be there.
  const std::string* text(std::string_view name);
  /// A string; null where absent or JSON's null.
  const std::string* optional_text(std::string_view name);
  /// True where the member is there, null included, and then counts as asked for.
  bool given(std::string_view name);
  /// An array; null where absent or JSON's null.
  const nlohmann::json* optional_array(std::string_view name);
  /// An array, which must be there.
  const nlohmann::json* array(std::string_view name);
  /// Anything but null, which must be there.
  const nlohmann::json* value(std::string_view name);
  /// A whole number, which must be there.
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t min, std::uint64_t max);
  /// The same; none where absent or null.
  std::optional<std::uint64_t> optional_number(std::string_view name, std::uint64_t min, std::uint64_t max);
  /// true or false; none where absent or null.
  std::optional<bool> flag(std::string_view name);
  /// An array of strings, which must be there.
  std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t max);

  [[nodiscard]] bool has_problem(std::string_view name) const;
  void add_problem(std::string_view name, std::string_view message, std::string_view code = "VALIDATION_ERROR");

  /// Everything found, unknown members included. Empty: the object is good.
  [[nodiscard]] std::vector<FieldProblem> problems() &&;

 private:
  /// The member; null where it is absent or JSON's null.
  const nlohmann::json* find(std::string_view name);

  const nlohmann::json& object_;
  std::vector<std::string_view> known_;
  std::vector<FieldProblem> problems_;
};

}  // namespace fluxora::api
