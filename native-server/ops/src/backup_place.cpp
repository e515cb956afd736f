#include "fluxora/ops/backup_place.hpp"

#include <algorithm>

namespace fluxora::ops {
namespace {

constexpr std::string_view s3_scheme = "s3://";
constexpr std::size_t max_path = 4'096;
constexpr std::size_t max_key = 1'024;
constexpr std::size_t min_bucket = 3;
constexpr std::size_t max_bucket = 63;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Only letters of ASCII, digits, and what is in `others`.
bool is_made_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
  });
}

bool is_bucket(std::string_view name) {
  const auto is_allowed = [](char c) { return is_lower_or_digit(c) || c == '-' || c == '.'; };
  return name.size() >= min_bucket && name.size() <= max_bucket && std::all_of(name.begin(), name.end(), is_allowed) &&
         is_lower_or_digit(name.front()) && is_lower_or_digit(name.back()) && name.find("..") == std::string_view::npos;
}

bool is_key(std::string_view key) {
  if (key.empty() || key.size() > max_key || !is_made_of(key, "/._-~")) return false;
  for (std::size_t from = 0; from <= key.size();) {
    const std::size_t slash = std::min(key.find('/', from), key.size());
    const std::string_view segment = key.substr(from, slash - from);
    if (segment.empty() || segment == "." || segment == "..") return false;
    from = slash + 1;
  }
  return true;
}

}  // namespace

std::variant<BackupPlace, std::string> parse_place(std::string_view text) {
  using namespace std::string_literals;
  if (text.rfind(s3_scheme, 0) == 0) {
    const std::string_view rest = text.substr(s3_scheme.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view bucket = rest.substr(0, slash);
    const std::string_view key = rest.substr(std::min(slash + 1, rest.size()));
    if (!is_bucket(bucket)) return "What stands behind s3:// isn't the name of a bucket."s;
    if (!is_key(key)) {
      return "The object's key must be letters, digits and / . _ - ~, with nothing empty, . or .. between slashes."s;
    }
    return BackupPlace(S3Place{std::string(bucket), std::string(key)});
  }
  if (text.find("://") != std::string_view::npos) return "A backup's place is a file or s3://bucket/key."s;
  if (text.empty() || text.size() > max_path || text.front() == '-' || !is_made_of(text, "/._-+=,:@%")) {
    return "A path must be letters, digits and / . _ - + = , : @ %, and not begin with a hyphen."s;
  }
  if (text.back() == '/') return "The path is a folder's: name the file."s;
  return BackupPlace(FilePlace{std::string(text)});
}

}  // namespace fluxora::ops
