#include "json_fields.hpp"

#include <algorithm>
#include <charconv>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/strkey.hpp"
#include "query.hpp"

namespace fluxora::api {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t max_exact_number = (std::uint64_t{1} << 53) - 1;

const std::string* text_of(const Json& value) {
  return value.get_ptr<const std::string*>();
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

const Json* JsonFields::find(std::string_view name) {
  if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.push_back(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<core::Amount> JsonFields::amount(std::string_view name) {
  const auto refuse = [&](core::ErrorCode code) -> std::optional<core::Amount> {
    add_problem(name, core::error_message(code), core::error_name(code));
    return std::nullopt;
  };
  const Json* value = find(name);
  if (value == nullptr) return refuse(core::ErrorCode::decimal_empty_value);
  const std::string* text = text_of(*value);
  if (text == nullptr) return refuse(core::ErrorCode::decimal_invalid_type);
  const auto amount = core::parse_decimal(*text);
  if (!amount) return refuse(amount.error().code);
  return *amount;
}

std::optional<std::string> JsonFields::address(std::string_view name) {
  const std::string* value = text(name);
  if (value == nullptr) return std::nullopt;
  if (core::is_stream_party(*value)) return *value;
  add_problem(name, "must be a valid address, G… or C….");
  return std::nullopt;
}

std::optional<core::Cursor> JsonFields::cursor(std::string_view name) {
  const std::string* value = text(name);
  if (value == nullptr) return std::nullopt;
  auto parsed = core::parse_cursor(*value);
  if (parsed) return std::move(*parsed);
  add_problem(name, not_a_cursor);
  return std::nullopt;
}

std::optional<core::Cursor> JsonFields::optional_cursor(std::string_view name) {
  return find(name) == nullptr ? std::nullopt : cursor(name);
}

std::optional<core::UnixSeconds> JsonFields::seconds(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number <= max_exact_number) return number;
    add_problem(name, "must be a string where it is above 9007199254740991: numbers lose digits there.");
    return std::nullopt;
  }
  if (const std::string* text = text_of(*value)) {
    if (const auto number = whole_number(*text)) return number;
  }
  add_problem(name, "must be unix seconds: a whole number, or a string of digits, from 0 to 18446744073709551615.");
  return std::nullopt;
}

const std::string* JsonFields::text(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) {
    add_problem(name, "is required.");
    return nullptr;
  }
  const std::string* text = text_of(*value);
  if (text == nullptr) add_problem(name, "must be a string.");
  return text;
}

const std::string* JsonFields::optional_text(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return nullptr;
  const std::string* text = text_of(*value);
  if (text == nullptr) add_problem(name, "must be a string.");
  return text;
}

bool JsonFields::given(std::string_view name) {
  find(name);
  return object_.contains(name);
}

const Json* JsonFields::array(std::string_view name) {
  const Json* value = find(name);
  if (value != nullptr && value->is_array()) return value;
  add_problem(name, "must be an array.");
  return nullptr;
}

const Json* JsonFields::optional_array(std::string_view name) {
  return find(name) == nullptr ? nullptr : array(name);
}

const Json* JsonFields::value(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) add_problem(name, "is required.");
  return value;
}

std::optional<std::uint64_t> JsonFields::number(std::string_view name, std::uint64_t min, std::uint64_t max) {
  const Json* value = find(name);
  if (value != nullptr && value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number >= min && number <= max) return number;
  }
  add_problem(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) + ".");
  return std::nullopt;
}

std::optional<std::uint64_t> JsonFields::optional_number(std::string_view name, std::uint64_t min, std::uint64_t max) {
  return find(name) == nullptr ? std::nullopt : number(name, min, max);
}

std::optional<bool> JsonFields::flag(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  add_problem(name, "must be true or false.");
  return std::nullopt;
}

std::optional<std::vector<std::string>> JsonFields::texts(std::string_view name, std::size_t max) {
  const Json* value = find(name);
  if (value != nullptr && value->is_array() && value->size() <= max) {
    std::vector<std::string> texts;
    for (const Json& item : *value) {
      if (const std::string* text = text_of(item)) texts.push_back(*text);
    }
    if (texts.size() == value->size()) return texts;
  }
  add_problem(name, "must be an array of at most " + std::to_string(max) + " strings.");
  return std::nullopt;
}

bool JsonFields::has_problem(std::string_view name) const {
  return std::any_of(problems_.begin(), problems_.end(), [&](const auto& problem) { return problem.field == name; });
}

void JsonFields::add_problem(std::string_view name, std::string_view message, std::string_view code) {
  problems_.push_back({std::string(name), std::string(code), std::string(message)});
}

std::vector<FieldProblem> JsonFields::problems() && {
  std::string message;
  std::size_t unknown = 0;
  for (const auto& [name, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (++unknown > max_unknown_named) break;
    if (message.empty()) message = "is not a member of this request, which takes " + listed(known_) + ".";
    add_problem(shown_name(name), message);
  }
  return std::move(problems_);
}

}  // namespace fluxora::api
