#include "fluxora/ops/backup_place.hpp"

#include <gtest/gtest.h>

namespace fluxora::ops {
namespace {

bool is_refused(const std::string& text) {
  return std::holds_alternative<std::string>(parse_place(text));
}

TEST(BackupPlace, TakesFiles) {
  for (const char* path : {"backup.dump", "/var/backups/fluxora-2026_11_23T02:00+00.dump", "./a/b", "a%b@c,d=e"}) {
    const auto place = parse_place(path);
    ASSERT_TRUE(std::holds_alternative<BackupPlace>(place)) << path;
    EXPECT_EQ(std::get<FilePlace>(std::get<BackupPlace>(place)).path, path);
  }
}

TEST(BackupPlace, TakesObjects) {
  const auto place = parse_place("s3://my-backups.example/fluxora/2026-11-23/a_b~1.dump");
  ASSERT_TRUE(std::holds_alternative<BackupPlace>(place));
  const auto& object = std::get<S3Place>(std::get<BackupPlace>(place));
  EXPECT_EQ(object.bucket, "my-backups.example");
  EXPECT_EQ(object.key, "fluxora/2026-11-23/a_b~1.dump");
}

TEST(BackupPlace, RefusesEveryCharacterThatMeansSomethingToAShell) {
  for (const char c : std::string("|&;<>()$`\\\"' \t\n*?[]#~!{}^\r\x01\x7f")) {
    EXPECT_TRUE(is_refused("/tmp/a" + std::string(1, c) + "b")) << static_cast<int>(c);
    if (c != '~') {
      EXPECT_TRUE(is_refused("s3://bucket/a" + std::string(1, c) + "b")) << static_cast<int>(c);
    }
    EXPECT_TRUE(is_refused("s3://buc" + std::string(1, c) + "ket/a")) << static_cast<int>(c);
  }
  EXPECT_TRUE(is_refused(std::string("/tmp/a\0b", 8)));
  EXPECT_TRUE(is_refused("/tmp/gr\xc3\xbc\xc3\x9f"));
}

TEST(BackupPlace, RefusesWhatIsNoFile) {
  for (const char* text : {"", "-", "--to", "/tmp/", "postgres://host/db", "http://host/x", "S3://bucket/key"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
  EXPECT_FALSE(is_refused(std::string(4'096, 'a')));
  EXPECT_TRUE(is_refused(std::string(4'097, 'a')));
}

TEST(BackupPlace, RefusesWhatIsNoObject) {
  for (const char* text : {"s3://", "s3://bucket", "s3://bucket/", "s3://bu/key", "s3://Bucket/key", "s3://-bucket/key",
                           "s3://bucket-/key", "s3://buc..ket/key", "s3://buc_ket/key", "s3://bucket//key",
                           "s3://bucket/a//b", "s3://bucket/a/", "s3://bucket/../b", "s3://bucket/a/./b",
                           "s3://bucket/a?uploads", "s3://bucket/a%2fb", "s3://user:secret@bucket/key"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
  EXPECT_TRUE(is_refused("s3://" + std::string(64, 'a') + "/key"));
  EXPECT_FALSE(is_refused("s3://bucket/" + std::string(1'024, 'a')));
  EXPECT_TRUE(is_refused("s3://bucket/" + std::string(1'025, 'a')));
}

}  // namespace
}  // namespace fluxora::ops
