#include "archive_source.hpp"

#include <gtest/gtest.h>

#include "fake_s3.hpp"
#include "sha256_stream.hpp"
#include "temporary_folder.hpp"

namespace fluxora::ops {
namespace {

std::string all_of(ArchiveSource& source) {
  std::string all;
  for (std::string bytes = source.read(); !bytes.empty(); bytes = source.read()) all += bytes;
  return all;
}

TEST(FileSource, ReadsToTheEnd) {
  const TemporaryFolder folder;
  const std::string text(3'000'001, 'x');
  folder.write("a.dump", text);
  FileSource source(FilePlace{folder.file("a.dump")});
  EXPECT_EQ(all_of(source), text);
}

TEST(FileSource, RefusesWhatIsNotThereOrNoFile) {
  const TemporaryFolder folder;
  EXPECT_THROW(FileSource(FilePlace{folder.file("absent")}), Failure);
  EXPECT_THROW(FileSource(FilePlace{folder.file("")}), Failure);
  EXPECT_THROW(FileSource(FilePlace{"/dev/zero"}), Failure);
}

TEST(S3Source, ReadsRangeAfterRangeOfOneObject) {
  constexpr std::size_t range = std::size_t{16} * 1024 * 1024;
  const std::string first(range, 'a');
  FakeS3 s3;
  s3.answers = {FakeS3::range(first, "bytes 0-16777215/16777218"),
                FakeS3::range("bc", "bytes 16777216-16777217/16777218")};
  S3Source source(S3Object("https://s3.test/b/k", s3.wire()));
  EXPECT_EQ(all_of(source), first + "bc");
  EXPECT_EQ(s3.sent.size(), 2U);
  EXPECT_EQ(s3.sent[1].headers[0].second, "bytes=16777216-33554431");
  EXPECT_EQ(s3.sent[1].headers[1].second, "\"e\"");
}

TEST(Sha256Stream, IsTheHashOfAllPieces) {
  Sha256Stream sum;
  sum.add("a");
  sum.add("");
  sum.add("bc");
  // FIPS 180-4's own example.
  EXPECT_EQ(core::hex_encode(sum.facts().sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sum.facts().bytes, 3U);
}

}  // namespace
}  // namespace fluxora::ops
