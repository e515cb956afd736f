// GET /api/ledgers/{ledger}, over a fake of what reads the database.

#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

ports::LedgerAnswer answer_of(const ports::HeldLedger& held) {
  return {held, {"k3f9", 42, 1'400}};
}

ports::HeldLedger held_ledger() {
  ports::HeldLedger held;
  held.first = 100;
  held.last = 200;
  held.contracts = "CA,CB";
  return held;
}

std::string repeated(std::string_view digits) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += digits;
  return text;
}

TEST(Ledgers, ShowWhatIsHeldUpToThere) {
  ApiBench bench;
  ports::HeldLedger held = held_ledger();
  held.hash = core::hash_of(0xaa);
  held.closed_at = 1'000;
  held.digest = core::hash_of(0xbb);
  held.digest_ledger = 149;
  bench.ledgers.answer = answer_of(held);
  const net::Response response = bench.ask("/api/ledgers/150");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-42");
  EXPECT_EQ(body_json(response), (Json{{"ledger", 150},
                                       {"hash", repeated("aa")},
                                       {"closedAt", "1970-01-01T00:16:40Z"},
                                       {"digest", repeated("bb")},
                                       {"digestLedger", 149},
                                       {"firstLedger", 100},
                                       {"lastLedger", 200},
                                       {"contracts", {"CA", "CB"}}}));
  EXPECT_EQ(bench.ledgers.asked, std::vector<std::uint32_t>{150});
}

TEST(Ledgers, WithoutAHeaderOrADigestSayWhatThereIs) {
  ApiBench bench;
  ports::HeldLedger held = held_ledger();
  held.contracts = "*";
  bench.ledgers.answer = answer_of(held);
  EXPECT_EQ(body_json(bench.ask("/api/ledgers/100")), (Json{{"ledger", 100},
                                                            {"digest", repeated("00")},
                                                            {"digestLedger", nullptr},
                                                            {"firstLedger", 100},
                                                            {"lastLedger", 200},
                                                            {"contracts", {"*"}}}));
}

TEST(Ledgers, ThatAreNotHeldAre404) {
  ApiBench bench;
  bench.ledgers.answer = ports::LedgerAnswer{std::nullopt, {"k3f9", 42, std::nullopt}};
  expect_problem(bench.ask("/api/ledgers/7"), 404, "NOT_FOUND");
  // Further than ledgers count.
  expect_problem(bench.ask("/api/ledgers/4294967296"), 404, "NOT_FOUND");
  EXPECT_EQ(bench.ledgers.asked, std::vector<std::uint32_t>{7});
}

TEST(Ledgers, AreNamedByANumber) {
  ApiBench bench;
  for (const char* text : {"x", "-1", "+1", "1.0", "01", "99999999999999999999"}) {
    expect_bad_fields(bench.ask("/api/ledgers/" + std::string(text)), {"ledger"});
  }
  expect_bad_fields(bench.ask("/api/ledgers/x?limit=1"), {"ledger", "limit"});
  EXPECT_TRUE(bench.ledgers.asked.empty());
}

TEST(Ledgers, WithoutAnAnswerAre503) {
  ApiBench bench;
  bench.ledgers.answer = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(bench.ask("/api/ledgers/150"), 503, "SERVICE_UNAVAILABLE");
  bench.ledgers.answer = answer_of(held_ledger());
  expect_problem(bench.ask("/api/ledgers/150", {{"X-Fluxora-Min-Version", "43"}}), 503, "SERVICE_UNAVAILABLE");
}

}  // namespace
}  // namespace fluxora::api::test
