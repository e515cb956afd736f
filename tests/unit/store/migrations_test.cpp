#include "migrations.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::store {
namespace {

namespace fs = std::filesystem;

TEST(Migrations, AreNumberedFromOneOnInOrder) {
  const auto& migrations = embedded_migrations();
  ASSERT_FALSE(migrations.empty());
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const std::string& name = migrations[i].name;
    EXPECT_TRUE(std::regex_match(name, std::regex("[0-9]{3}_[a-z0-9_]+"))) << name;
    EXPECT_EQ(std::stoul(name.substr(0, 3)), i + 1) << name;
  }
}

TEST(Migrations, AreTheFilesOfTheirFolderWordByWord) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(FLUXORA_PROJECT_ROOT) / "native-server/store/migrations")) {
    if (entry.path().extension() == ".sql") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const auto& migrations = embedded_migrations();
  ASSERT_EQ(files.size(), migrations.size()) << "a file that CMakeLists.txt doesn't name is never applied";
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(migrations[i].name, files[i].stem().string());
    std::ifstream file(files[i], std::ios::binary);
    EXPECT_EQ(migrations[i].sql, std::string(std::istreambuf_iterator<char>(file), {})) << files[i].filename();
  }
}

}  // namespace
}  // namespace fluxora::store
