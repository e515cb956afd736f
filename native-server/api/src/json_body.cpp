#include "json_body.hpp"

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "problem.hpp"

namespace fluxora::api {
namespace {

using Json = nlohmann::json;

constexpr std::size_t max_depth = 20;  // SPEC section 5

/// Builds the document from the parser's events and stops at the first that isn't allowed: nothing is kept of a body
/// beyond that.
class DocumentBuilder final : public Json::json_sax_t {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(Json::number_integer_t value) override { return add(value); }
  bool number_unsigned(Json::number_unsigned_t value) override { return add(value); }
  bool number_float(Json::number_float_t value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return is_without_nul(value) && add(std::move(value)); }
  bool binary(Json::binary_t&) override { return fail("is not JSON."); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (!is_without_nul(name)) return false;
    if (!open_.back().names.insert(name).second) {
      return fail("has a member twice: " + shown_name(name) + ".");
    }
    open_.back().next_name = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
    constexpr int number_overflow = 406;
    if (error.id == number_overflow) return fail("has a number that is out of range.");
    return fail("is not JSON in UTF-8; the first mistake is at byte " + std::to_string(position) + ".");
  }

  /// What is wrong; empty: nothing.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] Json take() && { return std::move(root_); }

 private:
  struct Open {
    Json value;
    std::string next_name;                  // of an object: the member that comes next
    std::unordered_set<std::string> names;  // of an object: those that it has
  };

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  /// PostgreSQL takes no NUL in a text, and nobody means one.
  bool is_without_nul(const std::string& text) {
    return text.find('\0') == std::string::npos || fail("has a NUL character in a text.");
  }

  bool open(Json container) {
    if (open_.size() == max_depth) return fail("is nested more than " + std::to_string(max_depth) + " levels deep.");
    open_.push_back({std::move(container), {}, {}});
    return true;
  }

  bool close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.is_array()) {
      open_.back().value.push_back(std::move(value));
    } else {
      open_.back().value.emplace(std::move(open_.back().next_name), std::move(value));
    }
    return true;
  }

  std::vector<Open> open_;
  Json root_;
  std::string problem_;
};

/// RFC 8259 section 11 gives application/json no parameters; charset=utf-8 says nothing wrong.
bool is_json_type(std::string_view content_type) {
  const std::size_t semicolon = content_type.find(';');
  if (!net::equal_ignoring_case(net::trim_white_space(content_type.substr(0, semicolon)), "application/json"))
    return false;
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = net::trim_white_space(content_type.substr(semicolon + 1));
  return parameter.empty() || net::equal_ignoring_case(parameter, "charset=utf-8") ||
         net::equal_ignoring_case(parameter, "charset=\"utf-8\"");
}

net::Response body_problem(const net::Request& request, const std::string& message) {
  return validation_problem(request, {{"body", "VALIDATION_ERROR", message}});
}

}  // namespace

std::variant<Json, net::Response> read_json_object(const net::Request& request) {
  if (!is_json_type(request.header("Content-Type").value_or(""))) {
    return problem(415, "The body must be application/json, in UTF-8.", request);
  }
  DocumentBuilder document;
  if (!Json::sax_parse(request.body, &document)) return body_problem(request, document.problem());
  Json body = std::move(document).take();
  if (!body.is_object()) return body_problem(request, "must be a JSON object.");
  return body;
}

}  // namespace fluxora::api
