#include "postgres_programs.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "fluxora/ops/backup.hpp"
#include "temporary_folder.hpp"

namespace fluxora::ops {
namespace {

const std::function<bool()> never = [] { return false; };

class PostgresProgramsTest : public testing::Test {
 protected:
  void install(const std::string& name, const std::string& version) {
    folder_.write_script(name + "/pg_dump", "echo 'pg_dump (PostgreSQL) " + version + "'");
    folders_.push_back(folder_.file(name));
  }
  std::string found(int server_major) { return find_programs({"pg_dump"}, server_major, folders_, never).at(0); }
  std::string refused(int server_major) {
    try {
      return "found " + found(server_major);
    } catch (const Failure& failure) {
      return failure.what();
    }
  }

  TemporaryFolder folder_;
  std::vector<std::string> folders_;
};

TEST_F(PostgresProgramsTest, TakesTheServersOwnVersion) {
  install("a", "14.9");
  install("b", "17.2 (Debian 17.2-1)");
  install("c", "15.18 (Debian 15.18-0+deb12u1)");
  install("d", "15.1");
  EXPECT_EQ(found(15), folder_.file("c/pg_dump")) << "the first of those";
}

TEST_F(PostgresProgramsTest, TakesTheNextNewerWhereThatIsMissing) {
  install("a", "18.0");
  install("b", "16beta1");
  EXPECT_EQ(found(15), folder_.file("b/pg_dump"));
}

TEST_F(PostgresProgramsTest, NamesWhatIsMissing) {
  EXPECT_EQ(refused(15), "The programs pg_dump of PostgreSQL 15 (Debian: postgresql-client) aren't installed here.");
  install("a", "14.9");
  EXPECT_EQ(refused(15),
            "The programs pg_dump of PostgreSQL 15 (Debian: postgresql-client) or newer are needed: what is installed "
            "here is of 14.");
}

TEST_F(PostgresProgramsTest, PassesOverProgramsThatDoNotSayTheirVersion) {
  folder_.write_script("a/pg_dump", "echo nonsense");
  folder_.write_script("b/pg_dump", "echo 'pg_dump (PostgreSQL) 15.1'; exit 1");
  folder_.write_script("c/pg_dump", "yes '(PostgreSQL) 99' | head -c 1000000");
  for (const char* name : {"a", "b", "c", "absent"}) folders_.push_back(folder_.file(name));
  install("d", "15.2");
  EXPECT_EQ(found(15), folder_.file("d/pg_dump"));
}

TEST_F(PostgresProgramsTest, WantsAllProgramsInOneFolder) {
  install("a", "15.1");
  folder_.write_script("a/psql", "exit 0");
  EXPECT_EQ(find_programs({"pg_dump", "psql"}, 15, folders_, never).at(1), folder_.file("a/psql"));
  EXPECT_THROW(find_programs({"pg_dump", "pg_restore"}, 15, folders_, never), Failure);
}

TEST(PostgresVersion, ReadsTheMajorNumber) {
  EXPECT_EQ(major_of("psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), 15);
  EXPECT_EQ(major_of("pg_dump (PostgreSQL) 17devel"), 17);
  EXPECT_EQ(major_of("pg_dump 17"), 0);
  EXPECT_EQ(major_of(""), 0);
}

TEST(PostgresEnvironment, HasNothingOfOursButWhatTheProgramsNeed) {
  ::setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
  ::setenv("DATABASE_URL", "postgres://u:hidden@h/d", 1);
  ::setenv("PGSSLMODE", "prefer", 1);
  ::setenv("PGSERVICEFILE", "/elsewhere", 1);
  const auto environment = program_environment();
  for (const char* name : {"AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "PGSERVICEFILE"}) ::unsetenv(name);
  const auto has = [&environment](const std::string& entry) {
    return std::find(environment.begin(), environment.end(), entry) != environment.end();
  };
  EXPECT_TRUE(has("PGSSLMODE=prefer"));
  EXPECT_TRUE(has("LC_ALL=C.UTF-8"));
  EXPECT_TRUE(has("PGSERVICEFILE=/proc/self/fd/3"));
  EXPECT_FALSE(has("PGSERVICEFILE=/elsewhere"));
  ::unsetenv("PGSSLMODE");
  for (const std::string& entry : environment) EXPECT_EQ(entry.find("hidden"), std::string::npos) << entry;
}

}  // namespace
}  // namespace fluxora::ops
