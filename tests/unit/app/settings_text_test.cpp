#include "settings_text.hpp"

#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "config.hpp"

namespace fluxora::app {
namespace {

/// The lines NAME=VALUE of an environment file; with `behind_hash` those that are behind a #.
std::map<std::string, std::string> lines_of(const std::string& text, bool behind_hash) {
  std::map<std::string, std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with("# ") || line.starts_with('#') != behind_hash) continue;
    const std::size_t from = behind_hash ? 1 : 0;
    const std::size_t equals = line.find('=');
    EXPECT_NE(equals, std::string::npos) << line;
    found[line.substr(from, equals - from)] = line.substr(equals + 1);
  }
  return found;
}

TEST(SettingsExample, SetsNothing) {
  EXPECT_TRUE(lines_of(settings_example(), false).empty());
}

TEST(SettingsExample, ShowsEverySettingWithItsDefault) {
  const auto shown = lines_of(settings_example(), true);
  EXPECT_EQ(shown.size(), settings().size());
  for (const Setting& setting : settings()) {
    const auto found = shown.find(std::string(setting.name));
    ASSERT_NE(found, shown.end()) << setting.name;
    EXPECT_EQ(found->second, setting.default_text);
  }
}

TEST(SettingsExample, IsAValidConfigurationWithoutTheHashesAndWithADatabase) {
  auto values = lines_of(settings_example(), true);
  values["DATABASE_URL"] = "postgres://localhost/fluxora";
  const ConfigResult result = read_config([&values](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    if (found == values.end() || found->second.empty()) return std::nullopt;
    return found->second;
  });
  EXPECT_EQ(result.problems, std::vector<std::string>());
}

}  // namespace
}  // namespace fluxora::app
