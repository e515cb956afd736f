#include "s3_object.hpp"

#include <gtest/gtest.h>

#include "fake_s3.hpp"

namespace fluxora::ops {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1024} * 1024;

/// The message and the detail of what `work` fails with.
template <class Work>
std::pair<std::string, std::string> failure_of(Work work) {
  try {
    work();
  } catch (const Failure& failure) {
    return {failure.what(), failure.detail()};
  }
  return {"no failure", ""};
}

class S3ObjectTest : public testing::Test {
 protected:
  using Pair = std::pair<std::string, std::string>;

  FakeS3 s3_;
  S3Object object_{"https://s3.test/bucket/key", s3_.wire()};
};

TEST(S3Parts, ReachTheLargestObjectWithinTheMostParts) {
  std::uint64_t total = 0;
  for (unsigned number = 1; number <= max_parts; ++number) {
    const std::uint64_t bytes = part_bytes(number);
    ASSERT_GE(bytes, 5 * mib);         // S3's smallest
    ASSERT_LE(bytes, 5 * 1024 * mib);  // and largest
    total += bytes;
    if (number == 1'000) {
      EXPECT_LE(bytes, 128 * mib);
    }
  }
  EXPECT_EQ(part_bytes(1), 16 * mib);
  EXPECT_EQ(part_bytes(150), 16 * mib);
  EXPECT_EQ(part_bytes(151), 32 * mib);
  EXPECT_GE(total, 5 * 1024 * 1024 * mib);
}

TEST(S3Urls, AreAmazonsUnlessThereIsAnEndpoint) {
  S3Options options;
  options.aws.region = "eu-central-1";
  EXPECT_EQ(object_url(options, {"backups", "a/b"}), "https://backups.s3.eu-central-1.amazonaws.com/a/b");
  EXPECT_EQ(object_url(options, {"my.backups", "a"}), "https://s3.eu-central-1.amazonaws.com/my.backups/a");
  options.aws.region = "cn-north-1";
  EXPECT_EQ(object_url(options, {"backups", "a"}), "https://backups.s3.cn-north-1.amazonaws.com.cn/a");
  options.endpoint = "http://127.0.0.1:9000";
  EXPECT_EQ(object_url(options, {"backups", "a"}), "http://127.0.0.1:9000/backups/a");
  options.endpoint = "http://127.0.0.1:9000/";
  EXPECT_EQ(object_url(options, {"backups", "a"}), "http://127.0.0.1:9000/backups/a");
}

TEST_F(S3ObjectTest, UploadsInParts) {
  s3_.answers = {FakeS3::upload("id/1+2"), FakeS3::answer(200, "", "\"e1\""), FakeS3::answer(200, "", "\"e2\""),
                 FakeS3::answer(200, "<CompleteMultipartUploadResult/>")};
  const std::string id = object_.begin_upload();
  EXPECT_EQ(object_.put_part(id, 1, "one"), "\"e1\"");
  EXPECT_EQ(object_.put_part(id, 2, "two"), "\"e2\"");
  object_.complete_upload(id, {"\"e1\"", "\"e2\""}, 6);
  ASSERT_EQ(s3_.sent.size(), 4U);
  EXPECT_EQ(s3_.sent[0].method + " " + s3_.sent[0].url, "POST https://s3.test/bucket/key?uploads=");
  EXPECT_EQ(s3_.sent[1].method + " " + s3_.sent[1].url,
            "PUT https://s3.test/bucket/key?partNumber=1&uploadId=id%2F1%2B2");
  EXPECT_EQ(s3_.sent[2].body, "two");
  EXPECT_EQ(s3_.sent[3].method + " " + s3_.sent[3].url, "POST https://s3.test/bucket/key?uploadId=id%2F1%2B2");
  EXPECT_TRUE(s3_.sent[3].even_when_stopped) << "or nobody knew whether the object is there";
  EXPECT_EQ(s3_.sent[3].body,
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"e1\"</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>\"e2\"</ETag></Part></CompleteMultipartUpload>");
}

TEST_F(S3ObjectTest, TriesWhatFailsForTheMomentAgainWithGrowingPauses) {
  outbound::AwsAnswer none;
  none.failure = "Connection reset by peer";
  s3_.answers = {FakeS3::error(503, "SlowDown"), none, FakeS3::error(400, "XAmzContentSHA256Mismatch"),
                 FakeS3::error(400, "RequestTimeout"), FakeS3::answer(200, "", "\"e\"")};
  EXPECT_EQ(object_.put_part("id", 1, "x"), "\"e\"");
  EXPECT_EQ(s3_.pauses, (std::vector<long>{500, 1'000, 2'000, 4'000}));
}

TEST_F(S3ObjectTest, GivesUpAfterSixAttempts) {
  EXPECT_EQ(failure_of([&] { static_cast<void>(object_.put_part("id", 1, "x")); }),
            Pair("S3 refuses to take a part of the upload.", "500"));
  EXPECT_EQ(s3_.sent.size(), 6U);
}

TEST_F(S3ObjectTest, NamesWrongCredentialsAtOnce) {
  for (const auto& [code, hint] :
       {Pair("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID isn't known there."),
        Pair("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY isn't the one of AWS_ACCESS_KEY_ID."),
        Pair("ExpiredToken", "AWS_SESSION_TOKEN isn't valid any more."),
        Pair("AccessDenied", "These credentials don't allow it.")}) {
    s3_.answers = {FakeS3::error(403, code)};
    s3_.sent.clear();
    EXPECT_EQ(failure_of([&] { static_cast<void>(object_.begin_upload()); }),
              Pair("S3 refuses to begin an upload. " + hint, "403 " + code));
    EXPECT_EQ(s3_.sent.size(), 1U) << "trying again wouldn't help";
  }
}

TEST_F(S3ObjectTest, TellsNothingOfAnAnswerThatIsNoName) {
  s3_.answers = {FakeS3::error(403, "<b>x</b> y"), FakeS3::answer(404, "<Error><Code>unclosed")};
  EXPECT_EQ(failure_of([&] { static_cast<void>(object_.begin_upload()); }).second, "403");
  EXPECT_EQ(failure_of([&] { static_cast<void>(object_.begin_upload()); }).second, "404");
}

TEST_F(S3ObjectTest, TakesAnErrorThatComesAs200ForAnError) {
  s3_.answers = {FakeS3::error(200, "InvalidPart")};
  EXPECT_EQ(failure_of([&] { object_.complete_upload("id", {"\"e\""}, 1); }),
            Pair("S3 refuses to put the upload together.", "200 InvalidPart"));
  s3_.sent.clear();
  s3_.answers = {FakeS3::error(200, "InternalError"), FakeS3::answer(200)};
  object_.complete_upload("id", {"\"e\""}, 1);
  EXPECT_EQ(s3_.sent.size(), 2U);
}

TEST_F(S3ObjectTest, KnowsACompletionWhoseAnswerWasLost) {
  outbound::AwsAnswer there = FakeS3::answer(200);
  there.content_length = 42;
  s3_.answers = {FakeS3::answer(502), FakeS3::error(404, "NoSuchUpload"), there};
  object_.complete_upload("id", {"\"e\""}, 42);
  EXPECT_EQ(s3_.sent.back().method, "HEAD");
  there.content_length = 41;
  s3_.answers = {FakeS3::answer(502), FakeS3::error(404, "NoSuchUpload"), there};
  EXPECT_EQ(failure_of([&] { object_.complete_upload("id", {"\"e\""}, 42); }).second, "404 NoSuchUpload");
}

TEST_F(S3ObjectTest, AbortsAlsoWhereTheProcessEnds) {
  s3_.answers = {FakeS3::answer(500), FakeS3::answer(204)};
  EXPECT_TRUE(object_.abort_upload("id"));
  EXPECT_EQ(s3_.sent[1].method + " " + s3_.sent[1].url, "DELETE https://s3.test/bucket/key?uploadId=id");
  EXPECT_TRUE(s3_.sent[1].even_when_stopped);
  EXPECT_FALSE(object_.abort_upload("id")) << "500 to the last";
}

TEST_F(S3ObjectTest, RefusesETagsAndIdsThatSayMoreThanTheyMay) {
  s3_.answers = {FakeS3::answer(200, "", "\"e\"</ETag><x>"), FakeS3::answer(200, "<UploadId></UploadId>")};
  EXPECT_EQ(failure_of([&] { static_cast<void>(object_.put_part("id", 1, "x")); }).first,
            "S3 took a part of the upload without an ETag that names it.");
  EXPECT_EQ(failure_of([&] { static_cast<void>(object_.begin_upload()); }).first,
            "S3 doesn't say which upload it has begun.");
}

TEST_F(S3ObjectTest, ReadsTheRangeThatItAskedForAndNothingElse) {
  s3_.answers = {FakeS3::range("abc", "bytes 0-2/5")};
  const auto range = object_.read(0, 3, "");
  EXPECT_EQ(range.bytes, "abc");
  EXPECT_EQ(range.total, 5U);
  EXPECT_EQ(s3_.sent[0].headers, (std::vector<Pair>{{"Range", "bytes=0-2"}}));
  s3_.answers = {FakeS3::range("de", "bytes 3-4/5")};
  EXPECT_EQ(object_.read(3, 3, "\"e\"").bytes, "de");
  EXPECT_EQ(s3_.sent[1].headers[1], Pair("If-Match", "\"e\""));

  const std::string other = "S3 answered with other bytes of the object than those that were asked for.";
  for (const auto& wrong :
       {FakeS3::range("d", "bytes 3-4/5"), FakeS3::range("de", "bytes 3-4/x"), FakeS3::range("de", ""),
        FakeS3::answer(200, "de", "\"e\""), FakeS3::range("de", "bytes 3-4/5", "")}) {
    s3_.answers = {wrong};
    EXPECT_EQ(failure_of([&] { static_cast<void>(object_.read(3, 3, "\"e\"")); }).first, other);
  }
  s3_.answers = {FakeS3::range("de", "bytes 3-4/5", "\"other\"")};
  EXPECT_EQ(failure_of([&] { static_cast<void>(object_.read(3, 3, "\"e\"")); }).first,
            "Somebody wrote the object while it was read.");
}

TEST_F(S3ObjectTest, FindsAnEmptyObjectEmpty) {
  s3_.answers = {FakeS3::error(416, "InvalidRange")};
  EXPECT_EQ(object_.read(0, 3, "").bytes, "");
}

}  // namespace
}  // namespace fluxora::ops
