#include "fluxora/store/script_scan.hpp"

#include <algorithm>

namespace fluxora::store {
namespace {

/// Longer than any COPY line of our tables, whose columns it names.
constexpr std::size_t kept_of_a_line = 8'192;
constexpr std::size_t max_migrations = 10'000;

bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

bool ends(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

void ScriptScan::take(std::string_view piece) {
  for (;;) {
    const std::size_t newline = piece.find('\n');
    const std::string_view part = piece.substr(0, newline);
    line_.append(part.substr(0, kept_of_a_line - std::min(kept_of_a_line, line_.size())));
    if (newline == std::string_view::npos) return;
    line_ended();
    line_.clear();
    piece.remove_prefix(newline + 1);
  }
}

void ScriptScan::line_ended() {
  if (!in_rows_) return take_statement();
  if (line_ == "\\.")
    in_rows_ = in_migrations_ = false;
  else if (in_migrations_)
    take_migration();
}

void ScriptScan::take_statement() {
  constexpr std::string_view create = "CREATE TABLE ";
  constexpr std::string_view head = ".log_head (";
  if (begins(line_, create) && ends(line_, head)) {
    const std::string_view name =
        std::string_view(line_).substr(create.size(), line_.size() - create.size() - head.size());
    if (is_plain_name(name)) schema_ = name;
  }
  if (line_ == "COMMIT;") commits_ = true;
  if (begins(line_, "COPY ") && ends(line_, " FROM stdin;")) {
    in_rows_ = true;
    in_migrations_ = line_.find(".schema_migrations (name, checksum, ") != std::string::npos;
  }
}

void ScriptScan::take_migration() {
  const std::size_t first = line_.find('\t');
  const std::size_t second = first == std::string::npos ? first : line_.find('\t', first + 1);
  if (second == std::string::npos || migrations_.size() == max_migrations) return;
  migrations_.emplace_back(line_.substr(0, first), line_.substr(first + 1, second - first - 1));
}

std::vector<std::pair<std::string, std::string>> ScriptScan::migrations() const {
  auto sorted = migrations_;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace fluxora::store
