#include "archive_sink.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "fake_s3.hpp"
#include "temporary_folder.hpp"

namespace fluxora::ops {
namespace {

namespace fs = std::filesystem;

TEST(FileSink, AppearsWholeAndReadableForItsOwnerAlone) {
  const TemporaryFolder folder;
  FileSink sink(FilePlace{folder.file("a.dump")});
  sink.write("one ");
  sink.write("two");
  EXPECT_FALSE(fs::exists(folder.file("a.dump")));
  sink.finish();
  EXPECT_EQ(folder.text("a.dump"), "one two");
  EXPECT_FALSE(fs::exists(folder.file("a.dump.partial")));
  EXPECT_EQ(fs::status(folder.file("a.dump")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(FileSink, LeavesTheFormerFileWhereItDoesNotFinish) {
  const TemporaryFolder folder;
  folder.write("a.dump", "former");
  {
    FileSink sink(FilePlace{folder.file("a.dump")});
    sink.write("half");
  }
  EXPECT_EQ(folder.text("a.dump"), "former");
  EXPECT_FALSE(fs::exists(folder.file("a.dump.partial")));
}

TEST(FileSink, BeginsAnewWhereAnotherWasKilled) {
  const TemporaryFolder folder;
  folder.write("a.dump.partial", "what a killed one has left");
  FileSink sink(FilePlace{folder.file("a.dump")});
  sink.write("new");
  sink.finish();
  EXPECT_EQ(folder.text("a.dump"), "new");
}

TEST(FileSink, IsRefusedWhileAnotherWrites) {
  const TemporaryFolder folder;
  FileSink first(FilePlace{folder.file("a.dump")});
  first.write("first");
  EXPECT_THROW(FileSink(FilePlace{folder.file("a.dump")}), Failure);
  first.finish();
  EXPECT_EQ(folder.text("a.dump"), "first");
}

TEST(FileSink, WritesOverNoFolderAndThroughNoLink) {
  const TemporaryFolder folder;
  EXPECT_THROW(FileSink(FilePlace{folder.file("")}), Failure);
  EXPECT_THROW(FileSink(FilePlace{folder.file("absent/a.dump")}), Failure);
  folder.write("target", "mine");
  fs::create_symlink(folder.file("target"), folder.file("a.dump.partial"));
  EXPECT_THROW(FileSink(FilePlace{folder.file("a.dump")}), Failure);
  EXPECT_EQ(folder.text("target"), "mine");
}

std::uint64_t four_bytes(unsigned) {
  return 4;
}

TEST(S3Sink, CutsPartsWhereverTheWritesEnd) {
  FakeS3 s3;
  s3.answers = {FakeS3::upload("id"), FakeS3::answer(200, "", "\"1\""), FakeS3::answer(200, "", "\"2\""),
                FakeS3::answer(200, "", "\"3\""), FakeS3::answer(200)};
  S3Sink sink(S3Object("https://s3.test/b/k", s3.wire()), four_bytes);
  for (const char* text : {"a", "bcdefg", "", "hi", "j"}) sink.write(text);
  EXPECT_EQ(s3.sent.size(), 3U) << "the last part waits for what may come";
  sink.finish();
  ASSERT_EQ(s3.sent.size(), 5U);
  EXPECT_EQ(s3.sent[1].body + "|" + s3.sent[2].body + "|" + s3.sent[3].body, "abcd|efgh|ij");
}

TEST(S3Sink, AbortsWhereItDoesNotFinish) {
  FakeS3 s3;
  s3.answers = {FakeS3::upload("id"), FakeS3::answer(200, "", "\"1\""), FakeS3::answer(204)};
  {
    S3Sink sink(S3Object("https://s3.test/b/k", s3.wire()), four_bytes);
    sink.write("abcdef");
  }
  EXPECT_EQ(s3.sent.back().method, "DELETE");
}

TEST(S3Sink, AbortsWhereAPartNeverGetsThrough) {
  FakeS3 s3;
  s3.answers = {FakeS3::upload("id")};
  for (int attempt = 0; attempt < 6; ++attempt) s3.answers.push_back(FakeS3::error(400, "XAmzContentSHA256Mismatch"));
  s3.answers.push_back(FakeS3::answer(204));
  {
    S3Sink sink(S3Object("https://s3.test/b/k", s3.wire()), four_bytes);
    EXPECT_THROW(sink.write("abcd"), Failure);
  }
  EXPECT_EQ(s3.sent.size(), 8U);
  EXPECT_EQ(s3.sent.back().method, "DELETE");
}

TEST(S3Sink, AbortsWhereThePartsCannotBePutTogether) {
  FakeS3 s3;
  s3.answers = {FakeS3::upload("id"), FakeS3::answer(200, "", "\"1\""), FakeS3::error(400, "InvalidPart"),
                FakeS3::answer(204)};
  {
    S3Sink sink(S3Object("https://s3.test/b/k", s3.wire()), four_bytes);
    sink.write("ab");
    EXPECT_THROW(sink.finish(), Failure);
  }
  EXPECT_EQ(s3.sent.back().method, "DELETE");
}

}  // namespace
}  // namespace fluxora::ops
