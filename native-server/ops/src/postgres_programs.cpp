#include "postgres_programs.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include <unistd.h>

#include "child_process.hpp"
#include "fluxora/ops/backup.hpp"

namespace fluxora::ops {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_folders = 100;
constexpr std::size_t max_version_line = 200;

/// PARENT/*/bin and the like: what `folder_of` makes of each name in the parent.
void add_versions(std::vector<std::string>& folders, const std::string& parent, std::string_view prefix) {
  std::error_code none;
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, none)) {
    if (entry.path().filename().string().rfind(prefix, 0) == 0) found.push_back((entry.path() / "bin").string());
  }
  std::sort(found.begin(), found.end());
  folders.insert(folders.end(), found.begin(), found.end());
}

bool has_all(const std::string& folder, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [&folder](const std::string& name) { return ::access((folder + "/" + name).c_str(), X_OK) == 0; });
}

int major_in(const std::string& folder, const std::string& name, const std::function<bool()>& stopped) {
  std::string line;
  ChildProcess child({folder + "/" + name, {"--version"}, program_environment()}, stopped);
  const int code = child.finish([&line](std::string_view text) {
    line.append(text.substr(0, max_version_line - std::min(max_version_line, line.size())));
  });
  return code == 0 ? major_of(line) : 0;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " and ") + name;
  return text;
}

}  // namespace

std::vector<std::string> program_folders() {
  std::vector<std::string> folders;
  add_versions(folders, "/usr/lib/postgresql", "");
  add_versions(folders, "/usr", "pgsql-");
  const char* const variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t colon = std::min(path.find(':', from), path.size());
    if (path[from] == '/') folders.push_back(path.substr(from, colon - from));
    from = colon + 1;
  }
  if (folders.size() > max_folders) folders.resize(max_folders);
  return folders;
}

int major_of(std::string_view version_line) {
  constexpr std::string_view product = "(PostgreSQL) ";
  const std::size_t at = version_line.find(product);
  if (at == std::string_view::npos) return 0;
  const std::string_view number = version_line.substr(at + product.size());
  int major = 0;
  std::from_chars(number.data(), number.data() + number.size(), major);
  return major;
}

std::vector<std::string> find_programs(const std::vector<std::string>& names, int server_major,
                                       const std::vector<std::string>& folders, const std::function<bool()>& stopped) {
  std::string best;
  int best_major = 0;
  int newest = 0;
  for (const std::string& folder : folders) {
    if (!has_all(folder, names)) continue;
    const int major = major_in(folder, names.front(), stopped);
    newest = std::max(newest, major);
    if (major < server_major || (best_major != 0 && major >= best_major)) continue;
    best = folder;
    best_major = major;
    if (major == server_major) break;  // there is no better one
  }
  const std::string wanted =
      joined(names) + " of PostgreSQL " + std::to_string(server_major) + " (Debian: postgresql-client)";
  if (newest == 0) throw Failure("The programs " + wanted + " aren't installed here.");
  if (best.empty()) {
    throw Failure("The programs " + wanted + " or newer are needed: what is installed here is of " +
                  std::to_string(newest) + ".");
  }
  std::vector<std::string> paths;
  for (const std::string& name : names) paths.push_back(best + "/" + name);
  return paths;
}

std::vector<std::string> program_environment() {
  std::vector<std::string> environment;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    const bool is_taken = name == "PATH" || name == "HOME" || (name.substr(0, 2) == "PG" && name != "PGSERVICEFILE");
    if (is_taken) environment.emplace_back(text);
  }
  environment.emplace_back("LC_ALL=C.UTF-8");
  environment.emplace_back("PGSERVICEFILE=" + std::string(ChildProcess::kept_file_path));
  return environment;
}

}  // namespace fluxora::ops
