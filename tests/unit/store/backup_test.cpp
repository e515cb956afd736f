#include "fluxora/store/backup.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/sha256.hpp"
#include "migrations.hpp"

namespace fluxora::store {
namespace {

std::string file_of(const std::string& url) {
  StoreOptions options;
  options.database_url = url;
  return service_file(options, "backup");
}

/// What a URL is refused with.
std::string refusal_of(const std::string& url) {
  try {
    return "taken: " + file_of(url);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

TEST(ServiceFile, SaysWhatTheUrlSays) {
  EXPECT_EQ(
      file_of("postgres://us%40er:p%3Aa%20s%2Fs@db.example:5433/flux%20ora?sslmode=verify-full"),
      "[fluxora]\nuser=us@er\npassword=p:a s/s\ndbname=flux ora\nhost=db.example\nport=5433\nsslmode=verify-full\n"
      "application_name=fluxora-backup\nconnect_timeout=10\nkeepalives_count=3\nkeepalives_idle=5\n"
      "keepalives_interval=2\n");
}

TEST(ServiceFile, LeavesTheOperatorsOwnSettings) {
  const std::string file = file_of("postgresql:///db?host=/run/sock&application_name=mine&connect_timeout=3");
  EXPECT_NE(file.find("application_name=mine\n"), std::string::npos);
  EXPECT_NE(file.find("connect_timeout=3\n"), std::string::npos);
  EXPECT_EQ(file.find("fluxora-backup"), std::string::npos);
}

TEST(ServiceFile, RefusesWhatAFileOfLinesCannotSay) {
  for (const char* url :
       {"postgres://u:pass%0Aword@h/d", "postgres://u:password%20@h/d", "postgres://u:password%09@h/d"}) {
    const std::string refusal = refusal_of(url);
    EXPECT_EQ(refusal.rfind("DATABASE_URL's password has a line break", 0), 0U) << refusal;
  }
  EXPECT_EQ(refusal_of("postgres://u:" + std::string(901, 'p') + "@h/d").rfind("DATABASE_URL's password", 0), 0U);
}

TEST(ServiceFile, TellsNothingOfAUrlThatIsNone) {
  for (const char* url : {"postgres://u:pass%zzword@h/d", "postgres://u:password@h/d?x=1", "u:password@h"}) {
    EXPECT_EQ(refusal_of(url), "DATABASE_URL isn't a URL that PostgreSQL reads.");
  }
}

class MigrationsOfABackup : public testing::Test {
 protected:
  MigrationsOfABackup() {
    for (const Migration& migration : embedded_migrations()) {
      migrations_.emplace_back(migration.name, core::hex_encode(core::sha256(core::as_bytes(migration.sql))));
    }
  }

  std::vector<std::pair<std::string, std::string>> migrations_;
};

TEST_F(MigrationsOfABackup, AreTakenUpToOurs) {
  EXPECT_EQ(migrations_problem(migrations_), std::nullopt);
  migrations_.pop_back();
  EXPECT_EQ(migrations_problem(migrations_), std::nullopt) << "of the version before";
}

TEST_F(MigrationsOfABackup, AreRefusedWhereTheyAreNewerOrOthers) {
  auto newer = migrations_;
  newer.emplace_back("999_future", "aa");
  EXPECT_EQ(migrations_problem(newer), "The backup is of a newer version: it has migration 999_future.");
  auto other = migrations_;
  other[0].first = "001_other";
  EXPECT_EQ(migrations_problem(other), "The backup has migration 001_other where this program has 001_event_log.");
  auto changed = migrations_;
  changed[0].second = std::string(64, '0');
  EXPECT_EQ(migrations_problem(changed), "The backup's migration 001_event_log isn't the one that this program has.");
}

}  // namespace
}  // namespace fluxora::store
