#include "vectors/vector_files.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "fluxora/core/decimal.hpp"

namespace fluxora::core::vectors {
namespace {

std::string folder() {
  const char* set = std::getenv("FLUXORA_VECTORS");
  return set != nullptr && *set != '\0' ? set : FLUXORA_PROJECT_ROOT "/../shared/vectors";
}

/// The file's text, or none and the reason in `cases`.
std::optional<std::string> read_file(const std::string& file, VectorCases& cases) {
  const std::string path = folder() + "/" + file;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    cases.absent = true;
    cases.problem = "vectors: " + file + " is not in " + folder();
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

void require_cases(VectorCases& cases) {
  if (cases.problem.empty() && cases.cases.empty()) cases.problem = cases.name + " has no cases";
}

void take_cases(const Json& list, VectorCases& cases) {
  for (const Json& entry : list) {
    if (!entry.is_object()) {
      cases.problem = cases.name + " has a case that is not a JSON object";
      return;
    }
    cases.cases.push_back(entry);
  }
  require_cases(cases);
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

std::string VectorCases::place(std::size_t index) const {
  return name + " case " + std::to_string(index + 1);
}

void VectorCases::report() const {
  std::printf("vectors: %s %zu cases\n", name.c_str(), cases.size());
}

VectorCases read_lines(const std::string& file) {
  VectorCases result;
  result.name = file;
  const auto content = read_file(file, result);
  if (!content) return result;
  for (std::size_t begin = 0, number = 1; begin < content->size(); ++number) {
    const std::size_t end = std::min(content->find('\n', begin), content->size());
    const auto line = std::string_view(*content).substr(begin, end - begin);
    begin = end + 1;
    if (is_blank(line)) continue;
    Json parsed = Json::parse(line, nullptr, false);
    if (!parsed.is_object()) {
      result.problem = file + " line " + std::to_string(number) + " is not a JSON object";
      return result;
    }
    result.cases.push_back(std::move(parsed));
  }
  require_cases(result);
  return result;
}

VectorCases read_list(const std::string& file, const std::string& list) {
  VectorCases result;
  result.name = file + "#" + list;
  const auto content = read_file(file, result);
  if (!content) return result;
  const Json parsed = Json::parse(*content, nullptr, false);
  if (!parsed.is_object()) {
    result.problem = file + " is not a JSON object";
    return result;
  }
  const auto found = parsed.find(list);
  if (found == parsed.end() || !found->is_array()) {
    result.problem = "vectors: " + file + " has no list " + list;
    for (const Json& other : parsed) result.absent = result.absent || (other.is_array() && !other.empty());
    return result;
  }
  take_cases(*found, result);
  return result;
}

VectorCases read_array(const std::string& file) {
  VectorCases result;
  result.name = file;
  const auto content = read_file(file, result);
  if (!content) return result;
  const Json parsed = Json::parse(*content, nullptr, false);
  if (!parsed.is_array()) {
    result.problem = file + " is not a JSON array";
    return result;
  }
  take_cases(parsed, result);
  return result;
}

std::optional<std::string> text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<Int128> units(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return std::nullopt;
  if (found->is_number_integer()) return Int128{found->get<std::int64_t>()};
  const auto digits = text(object, key);
  if (!digits) return std::nullopt;
  const Result<Int128> value = parse_units(*digits);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<UnixSeconds> seconds(const Json& object, const char* key) {
  const auto value = units(object, key);
  if (!value || *value < 0 || *value > Int128{~UnixSeconds{0}}) return std::nullopt;
  return static_cast<UnixSeconds>(*value);
}

std::optional<bool> flag(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

bool has(const Json& object, const char* key) {
  return object.find(key) != object.end();
}

}  // namespace fluxora::core::vectors
