// GET /api/streams/export, over a fake of what reads the streams.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

using State = net::BodyPiece::State;

const std::string alice(core::sample_sender);
const std::string bob(core::sample_recipient);

core::Stream stream(std::uint64_t number) {
  core::Stream made = core::sample_stream();
  made.id = core::chain_stream_id(core::sample_contract, number);
  made.created_seq = number;
  return made;
}

/// The next piece; a stream that doesn't answer at once fails the test.
net::BodyPiece next(net::BodyStream& body) {
  std::optional<net::BodyPiece> given;
  body.next([&](net::BodyPiece piece) { given = std::move(piece); });
  if (!given) ADD_FAILURE() << "no piece";
  return given.value_or(net::BodyPiece{});
}

std::vector<Json> lines(const std::string& text) {
  std::vector<Json> parsed;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from);
    if (end == std::string::npos) {
      ADD_FAILURE() << "a line without its end";
      break;
    }
    parsed.push_back(Json::parse(text.substr(from, end - from)));
    from = end + 1;
  }
  return parsed;
}

TEST(Export, GivesEveryStreamOnALineOfItsOwn) {
  ApiBench bench;
  bench.exports.at = {"k3f9", 42, 1'050};
  bench.exports.pages = {{{stream(3), stream(2)}, false}, {{stream(1)}, true}};
  net::Response response = bench.ask("/api/streams/export");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "application/x-ndjson");
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-42");
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(header(response, "Content-Disposition"), "attachment; filename=\"fluxora-streams.ndjson\"");

  const auto body = std::get<std::shared_ptr<net::BodyStream>>(response.body);
  const net::BodyPiece first = next(*body);
  EXPECT_EQ(first.state, State::more);
  const net::BodyPiece second = next(*body);
  EXPECT_EQ(second.state, State::last);
  const std::vector<Json> all = lines(first.bytes + second.bytes);
  ASSERT_EQ(all.size(), 3U);
  for (std::uint64_t i = 0; i < 3; ++i) {
    std::string expected;
    core::JsonWriter json(expected);
    write_stream_json(json, stream(3 - i), 1'050);
    EXPECT_EQ(all[i], Json::parse(expected));
  }
}

TEST(Export, OfNothingIsEmpty) {
  ApiBench bench;
  bench.exports.pages = {{{}, true}};
  const net::Response response = bench.ask("/api/streams/export");
  const net::BodyPiece only = next(*std::get<std::shared_ptr<net::BodyStream>>(response.body));
  EXPECT_EQ(only.bytes, "");
  EXPECT_EQ(only.state, State::last);
}

TEST(Export, ComputesAllLinesForOneMoment) {
  ApiBench bench;
  const core::UnixMillis begun = bench.clock.now();
  bench.exports.at = {"k3f9", 42, std::nullopt};
  bench.exports.pages = {{{stream(2)}, false}, {{stream(1)}, true}};
  const net::Response response = bench.ask("/api/streams/export");
  const auto body = std::get<std::shared_ptr<net::BodyStream>>(response.body);
  const std::string first = next(*body).bytes;
  bench.clock.advance(std::chrono::minutes(1));
  for (const Json& line : lines(first + next(*body).bytes)) EXPECT_EQ(line.at("asOf"), begun / 1'000);
}

TEST(Export, TakesTheFiltersOfTheList) {
  ApiBench bench;
  bench.ask("/api/streams/export");
  bench.ask("/api/streams/export?status=paused&sender=" + alice + "&recipient=" + bob);
  ASSERT_EQ(bench.exports.begun.size(), 2U);
  const ports::StreamFilter& all = bench.exports.begun[0];
  EXPECT_FALSE(all.status || all.sender || all.recipient);
  EXPECT_EQ(all.now, static_cast<core::UnixSeconds>(bench.clock.now() / 1'000));
  const ports::StreamFilter& some = bench.exports.begun[1];
  EXPECT_EQ(some.status, ports::StatusFilter::paused);
  EXPECT_EQ(some.sender, alice);
  EXPECT_EQ(some.recipient, bob);
}

TEST(Export, NamesEveryBadParameter) {
  ApiBench bench;
  expect_bad_fields(bench.ask("/api/streams/export?status=x&sender=y&recipient=z&limit=5&cursor=a"),
                    {"status", "sender", "recipient", "limit", "cursor"});
  EXPECT_TRUE(bench.exports.begun.empty());
}

TEST(Export, NeverShowsLessThanTheVersionAskedFor) {
  ApiBench bench;
  bench.exports.at = {"k3f9", 42, 1'050};
  EXPECT_EQ(bench.ask("/api/streams/export", {{"X-Fluxora-Min-Version", "42"}}).status, 200U);
  const net::Response behind = bench.ask("/api/streams/export", {{"X-Fluxora-Min-Version", "43"}});
  expect_problem(behind, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(behind, "Retry-After"), "1");
  EXPECT_EQ(bench.exports.open, 0);
  expect_bad_fields(bench.ask("/api/streams/export", {{"X-Fluxora-Min-Version", "x"}}), {"X-Fluxora-Min-Version"});
}

TEST(Export, IsRefusedWhenAllPlacesAreTaken) {
  ApiBench bench;
  bench.exports.failure = ports::StoreFailure::busy;
  const net::Response response = bench.ask("/api/streams/export");
  expect_problem(response, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(response, "Retry-After"), "10");
}

TEST(Export, WithoutADatabaseIs503) {
  ApiBench bench;
  bench.exports.failure = ports::StoreFailure::unavailable;
  const net::Response response = bench.ask("/api/streams/export");
  expect_problem(response, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(response, "Retry-After"), "2");
  bench.exports.failure = ports::StoreFailure::internal;
  expect_problem(bench.ask("/api/streams/export"), 500, "INTERNAL_ERROR");
}

TEST(Export, FailsInTheMiddleWhereTheDatabaseDoes) {
  ApiBench bench;
  bench.exports.pages = {{{stream(1)}, false}};
  const net::Response response = bench.ask("/api/streams/export");
  const auto body = std::get<std::shared_ptr<net::BodyStream>>(response.body);
  EXPECT_EQ(next(*body).state, State::more);
  EXPECT_EQ(next(*body).state, State::failed);
}

TEST(Export, LetsItsSnapshotGoWithItsBody) {
  ApiBench bench;
  {
    const net::Response response = bench.ask("/api/streams/export");
    EXPECT_EQ(bench.exports.open, 1);
  }
  EXPECT_EQ(bench.exports.open, 0);
}

}  // namespace
}  // namespace fluxora::api::test
