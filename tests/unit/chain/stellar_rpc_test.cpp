#include "fluxora/chain/stellar_rpc.hpp"

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fake_rpc.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "good_answers.hpp"
#include "stream_samples.hpp"

namespace fluxora::chain::test {
namespace {

using Kind = ports::ChainError::Kind;

const std::string contract(core::sample_contract);

core::Bytes stream_key(std::uint64_t number) {
  return *core::stream_ledger_key(core::chain_stream_id(core::sample_contract, number));
}

class StellarRpcTest : public ::testing::Test {
 protected:
  StellarRpcTest() {
    options_.contracts = {contract};
    options_.event_page = 3;
  }

  StellarRpc& rpc() {
    if (!rpc_) {
      options_.url = server_.url();
      rpc_ = std::make_unique<StellarRpc>(options_);
    }
    return *rpc_;
  }

  /// Expects that the window can't be had.
  void expect_trouble(Kind kind, const std::string& message) {
    expect_trouble_of([&] { static_cast<void>(rpc().window()); }, kind, message);
  }

  template <class Call>
  void expect_trouble_of(Call call, Kind kind, const std::string& message) {
    try {
      call();
      ADD_FAILURE() << "it was believed";
    } catch (const ports::ChainError& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
    }
  }

  static std::vector<std::string> ids(const ports::EventBatch& batch) {
    std::vector<std::string> found;
    for (const ports::ChainEvent& item : batch.events) found.push_back(item.event_id);
    return found;
  }

  FakeRpc server_;
  StellarRpcOptions options_;
  std::unique_ptr<StellarRpc> rpc_;
};

TEST_F(StellarRpcTest, AsksAsJsonRpcHasIt) {
  server_.answer(health(5, 90));
  server_.answer({{"passphrase", "Test network"}});
  EXPECT_EQ(rpc().window().latest, 90u);
  EXPECT_EQ(rpc().network_passphrase(), "Test network");
  const std::vector<Json> requests = server_.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0]["jsonrpc"], "2.0");
  EXPECT_EQ(requests[0]["method"], "getHealth");
  EXPECT_FALSE(requests[0].contains("params"));
  EXPECT_EQ(requests[1]["method"], "getNetwork");
  EXPECT_NE(requests[0]["id"], requests[1]["id"]);
}

TEST_F(StellarRpcTest, AsksForTheContractsEventsOfWholeLedgers) {
  server_.answer(events_page({event(10), event(12)}));
  const ports::EventBatch batch = rpc().events(10, 20);
  EXPECT_EQ(ids(batch), (std::vector<std::string>{event_id(10, 0), event_id(12, 0)}));
  EXPECT_EQ(batch.complete_through, 20u);
  EXPECT_EQ(batch.window.latest, 1'000u);
  EXPECT_EQ(server_.requests()[0]["method"], "getEvents");
  EXPECT_EQ(server_.params(), (Json{{"startLedger", 10},
                                    {"endLedger", 21},
                                    {"filters", {{{"type", "contract"}, {"contractIds", {contract}}}}},
                                    {"pagination", {{"limit", 3}}}}));
}

TEST_F(StellarRpcTest, ManyContractsAreFiveAFilter) {
  options_.contracts.clear();
  for (int i = 0; i < 12; ++i) options_.contracts.push_back("C" + std::to_string(i));
  server_.answer(events_page({}));
  rpc().events(10, 20);
  const Json filters = server_.params()["filters"];
  ASSERT_EQ(filters.size(), 3u);
  EXPECT_EQ(filters[0]["contractIds"].size(), 5u);
  EXPECT_EQ(filters[1]["contractIds"].size(), 5u);
  EXPECT_EQ(filters[2]["contractIds"], (Json{"C10", "C11"}));
}

TEST_F(StellarRpcTest, WithoutContractsEveryContractsEventsAreAskedFor) {
  options_.contracts.clear();
  server_.answer(events_page({}));
  rpc().events(10, 20);
  EXPECT_EQ(server_.params()["filters"], (Json{{{"type", "contract"}}}));
}

TEST_F(StellarRpcTest, MoreContractsThanOneAnswerHoldsAreRefused) {
  options_.contracts.assign(max_contracts, contract);
  EXPECT_NO_THROW(rpc());
  options_.contracts.push_back(contract);
  EXPECT_THROW(StellarRpc{options_}, std::invalid_argument);
}

TEST_F(StellarRpcTest, ABadUrlIsRefused) {
  options_.url = "ftp://127.0.0.1/";
  EXPECT_THROW(StellarRpc{options_}, std::invalid_argument);
}

TEST_F(StellarRpcTest, NoMoreLedgersAreAskedForThanTheServerLooksThrough) {
  server_.answer(events_page({}, 1'000'000));
  EXPECT_EQ(rpc().events(10, 100'000).complete_through, 10'009u);
  EXPECT_EQ(server_.params()["endLedger"], 10'010);
}

TEST_F(StellarRpcTest, AFullPageIsCompleteUpToTheLedgerBeforeItsLast) {
  server_.answer(events_page({event(10), event(11), event(12)}));
  const ports::EventBatch batch = rpc().events(10, 20);
  EXPECT_EQ(ids(batch), (std::vector<std::string>{event_id(10, 0), event_id(11, 0)}));
  EXPECT_EQ(batch.complete_through, 11u);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(StellarRpcTest, AllOfAFullPagesLastLedgerIsLeftForTheNext) {
  server_.answer(events_page({event(10), event(14, 0), event(14, 1)}));
  const ports::EventBatch batch = rpc().events(9, 20);
  EXPECT_EQ(ids(batch), (std::vector<std::string>{event_id(10, 0)}));
  EXPECT_EQ(batch.complete_through, 13u) << "nothing happened in the ledgers between";
}

TEST_F(StellarRpcTest, AFullPageOfOneLaterLedgerIsCompleteUpToIt) {
  server_.answer(events_page({event(14, 0), event(14, 1), event(14, 2)}));
  const ports::EventBatch batch = rpc().events(9, 20);
  EXPECT_TRUE(batch.events.empty());
  EXPECT_EQ(batch.complete_through, 13u);
}

TEST_F(StellarRpcTest, AHugeLedgerIsReadOverSeveralPages) {
  server_.answer(events_page({event(10, 0), event(10, 1), event(10, 2)}));
  server_.answer(events_page({event(10, 3), event(10, 4), event(10, 5)}));
  server_.answer(events_page({event(10, 6)}));
  const ports::EventBatch batch = rpc().events(10, 20);
  EXPECT_EQ(batch.events.size(), 7u);
  EXPECT_EQ(batch.complete_through, 20u);
  EXPECT_EQ(server_.params(1), (Json{{"filters", {{{"type", "contract"}, {"contractIds", {contract}}}}},
                                     {"pagination", {{"limit", 3}, {"cursor", event_id(10, 2)}}}}));
  EXPECT_EQ(server_.params(2)["pagination"]["cursor"], event_id(10, 5));
}

TEST_F(StellarRpcTest, AHugeLedgerEndsWhereTheNextBegins) {
  server_.answer(events_page({event(10, 0), event(10, 1), event(10, 2)}));
  server_.answer(events_page({event(10, 3), event(11, 0), event(12, 0)}));
  const ports::EventBatch batch = rpc().events(10, 20);
  EXPECT_EQ(ids(batch).back(), event_id(11, 0));
  EXPECT_EQ(batch.complete_through, 11u);
}

TEST_F(StellarRpcTest, AHugeLedgerThatIsTheLastAskedForEndsAtTheFirstEventBeyond) {
  server_.answer(events_page({event(10, 0), event(10, 1), event(10, 2)}));
  server_.answer(events_page({event(10, 3), event(11, 0), event(12, 0)}));
  const ports::EventBatch batch = rpc().events(10, 10);
  EXPECT_EQ(ids(batch).back(), event_id(10, 3));
  EXPECT_EQ(batch.complete_through, 10u);
  EXPECT_EQ(server_.requests().size(), 2u) << "what lies beyond isn't read through";
}

TEST_F(StellarRpcTest, AHugeLedgerOfWholePagesEndsWithAnEmptyOne) {
  server_.answer(events_page({event(10, 0), event(10, 1), event(10, 2)}));
  server_.answer(events_page({}));
  const ports::EventBatch batch = rpc().events(10, 10);
  EXPECT_EQ(batch.events.size(), 3u);
  EXPECT_EQ(batch.complete_through, 10u);
}

TEST_F(StellarRpcTest, PagesMustAscendAmongThemselves) {
  server_.answer(events_page({event(10, 0), event(10, 1), event(10, 2)}));
  server_.answer(events_page({event(10, 2), event(10, 3)}));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "events out of order");
}

TEST_F(StellarRpcTest, PagesOfNothingThatWasAskedForEndSomewhere) {
  options_.event_page = 50'000;
  Json page = events_page({event(10)});
  page["events"] = Json::array_t(options_.event_page, {{"type", "system"}});
  for (std::uint32_t i = 0; i < 6; ++i) {
    page["cursor"] = event_id(10, i);
    server_.answer(page);
  }
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "more events than a ledger can hold");
  EXPECT_EQ(server_.requests().size(), 5u);
}

TEST_F(StellarRpcTest, ACursorThatDoesNotMoveIsNonsense) {
  Json page = events_page({event(10)});
  page["events"] = Json::array_t(options_.event_page, {{"type", "system"}});
  for (int i = 0; i < 3; ++i) server_.answer(page);
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "a cursor that doesn't move");
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(StellarRpcTest, EventsOfOtherContractsAreNotBelieved) {
  Json other = event(10, 1);
  other["contractId"] = core::sample_token;
  server_.answer(events_page({event(10), other}));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "a contract that wasn't asked for");
  server_.answer(events_page({event(10, 0), event(10, 1), event(10, 2)}));
  other = event(10, 3);
  other["contractId"] = core::sample_token;
  server_.answer(events_page({other}));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "a contract that wasn't asked for");
  options_.contracts.clear();
  rpc_.reset();
  server_.answer(events_page({other}));
  EXPECT_EQ(rpc().events(10, 20).events.size(), 1u) << "every contract's are asked for";
}

TEST_F(StellarRpcTest, TheSameEventTwiceInAPageIsNonsense) {
  server_.answer(events_page({event(10, 1), event(10, 1)}));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "events out of order");
}

TEST_F(StellarRpcTest, LedgersThatTheServerHasDroppedMeanwhileAreNotEmpty) {
  Json page = events_page({});
  page["oldestLedger"] = 11;
  server_.answer(page);
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::outside_window, "has dropped ledger 10");
}

TEST_F(StellarRpcTest, WhatTheServerSaysIsQuotedShortAndOnOneLine) {
  server_.answer_error(-32000, "first\nsecond\u0000" + std::string(100'000, 'x'));
  try {
    static_cast<void>(rpc().window());
    ADD_FAILURE() << "it was believed";
  } catch (const ports::ChainError& error) {
    const std::string what = error.what();
    EXPECT_LT(what.size(), 300u);
    EXPECT_EQ(what.find('\n'), std::string::npos);
  }
}

TEST_F(StellarRpcTest, EventsOfOtherLedgersAreNotBelieved) {
  server_.answer(events_page({event(9)}));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "a ledger that wasn't asked for");
  server_.answer(events_page({event(21)}));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "a ledger that wasn't asked for");
}

TEST_F(StellarRpcTest, AServerThatIsBehindIsCompleteUpToWhatItHasSeen) {
  server_.answer(events_page({event(10)}, 15));
  EXPECT_EQ(rpc().events(10, 20).complete_through, 15u);
  server_.answer(events_page({}, 9));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::unreachable, "hasn't seen the ledger");
}

TEST_F(StellarRpcTest, LedgersAreReadInPages) {
  server_.answer(ledgers_page(100, 163));
  server_.answer(ledgers_page(164, 200));
  const auto headers = rpc().ledgers(100, 200);
  ASSERT_EQ(headers.size(), 101u);
  for (std::size_t i = 0; i < headers.size(); ++i) EXPECT_EQ(headers[i].sequence, 100 + i);
  EXPECT_EQ(server_.requests()[0]["method"], "getLedgers");
  EXPECT_EQ(server_.params(0), (Json{{"startLedger", 100}, {"pagination", {{"limit", 64}}}}));
  EXPECT_EQ(server_.params(1), (Json{{"startLedger", 164}, {"pagination", {{"limit", 37}}}}));
}

TEST_F(StellarRpcTest, AShorterPageOfLedgersGoesOnWhereItEnded) {
  server_.answer(ledgers_page(100, 101));
  server_.answer(ledgers_page(102, 104));
  EXPECT_EQ(rpc().ledgers(100, 104).size(), 5u);
  EXPECT_EQ(server_.params(1)["startLedger"], 102);
}

TEST_F(StellarRpcTest, MoreLedgersThanAskedForAreLeft) {
  server_.answer(ledgers_page(100, 110));
  EXPECT_EQ(rpc().ledgers(100, 102).size(), 3u);
}

TEST_F(StellarRpcTest, LedgersMustBeTheOnesAskedForInOrder) {
  server_.answer(ledgers_page(101, 102));
  expect_trouble_of([&] { rpc().ledgers(100, 101); }, Kind::nonsense, "ledgers out of order");
  Json page = ledgers_page(100, 102);
  page["ledgers"].erase(1);
  server_.answer(page);
  expect_trouble_of([&] { rpc().ledgers(100, 102); }, Kind::nonsense, "ledgers out of order");
}

TEST_F(StellarRpcTest, ALedgerThatIsNotThereYetIsWaitedFor) {
  server_.answer(ledgers_page(100, 101));
  server_.answer(Json{{"ledgers", Json::array()}});
  expect_trouble_of([&] { rpc().ledgers(100, 102); }, Kind::unreachable, "hasn't seen the ledger");
}

TEST_F(StellarRpcTest, PagesOfLedgersShrinkUntilTheyFit) {
  options_.http.max_response_bytes = 4'096;
  const auto as_many_as_asked = [](const Json& request) {
    const auto first = request["params"]["startLedger"].get<std::uint32_t>();
    const auto limit = request["params"]["pagination"]["limit"].get<std::uint32_t>();
    return response(Json{{"id", request["id"]}, {"result", ledgers_page(first, first + limit - 1)}}.dump());
  };
  for (int i = 0; i < 40; ++i) server_.answer_with(as_many_as_asked);
  const auto headers = rpc().ledgers(100, 163);
  ASSERT_EQ(headers.size(), 64u);
  EXPECT_EQ(headers.back().sequence, 163u);
  std::vector<int> limits;
  for (const Json& request : server_.requests()) limits.push_back(request["params"]["pagination"]["limit"].get<int>());
  EXPECT_EQ(limits[0], 64);
  EXPECT_EQ(limits[1], 32);
  EXPECT_EQ(limits[2], 16);
  EXPECT_LE(limits.back(), 8);
  const std::size_t asked = limits.size();
  rpc().ledgers(200, 200 + 7);
  EXPECT_LE(server_.requests()[asked]["params"]["pagination"]["limit"].get<int>(), limits.back())
      << "the size that fitted is kept";
}

TEST_F(StellarRpcTest, ASingleLedgerThatIsTooLargeIsNonsense) {
  options_.http.max_response_bytes = 64;
  for (int i = 0; i < 7; ++i) server_.answer(ledgers_page(100, 100));
  expect_trouble_of([&] { rpc().ledgers(100, 163); }, Kind::nonsense, "");
  EXPECT_EQ(server_.requests().size(), 7u);
}

TEST_F(StellarRpcTest, AnAnswerThatIsTooLargeIsNonsense) {
  options_.http.max_response_bytes = 64;
  server_.answer(events_page({event(10)}));
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::nonsense, "");
}

TEST_F(StellarRpcTest, LedgersOutsideTheWindowAreToldApart) {
  // As stellar-rpc says it for getEvents and for getLedgers.
  server_.answer_error(-32600, "startLedger must be within the ledger range: 100 - 200");
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::outside_window, "the ledger range: 100 - 200");
  server_.answer_error(-32600,
                       "start ledger (10) must be between the oldest ledger: 100 and the latest ledger: 200 for this "
                       "rpc instance");
  expect_trouble_of([&] { rpc().ledgers(10, 10); }, Kind::outside_window, "the oldest ledger: 100");
  server_.answer_error(-32602, "startLedger must be within the ledger range: 100 - 200");
  expect_trouble_of([&] { rpc().events(10, 20); }, Kind::outside_window, "the ledger range");
}

TEST_F(StellarRpcTest, OtherJsonRpcErrorsAreWaitedOut) {
  server_.answer_error(-32603, "latency (300s) since last known ledger closed is too high (>30s)");
  expect_trouble(Kind::unreachable, "the RPC says: latency (300s)");
  server_.answer_error(-32600, "some other request");
  expect_trouble(Kind::unreachable, "the RPC says: some other request");
  server_.answer_error(-32603, "about the ledger range, but not as a bad request");
  expect_trouble(Kind::unreachable, "the RPC says: about the ledger range");
}

TEST_F(StellarRpcTest, AnErrorOfAnyShapeIsAnError) {
  for (const Json& error : {Json(), Json("boom"), Json::object(), Json{{"code", "x"}, {"message", 7}},
                            Json{{"code", 1e300}}, Json::array()}) {
    server_.answer_with([error](const Json& request) {
      return response(Json{{"id", request["id"]}, {"result", health()}, {"error", error}}.dump());
    });
    expect_trouble(Kind::unreachable, "the RPC says: an error without a message");
  }
}

TEST_F(StellarRpcTest, HttpErrorsAreWaitedOut) {
  for (const unsigned status : {201u, 301u, 400u, 404u, 429u, 500u, 503u}) {
    server_.answer_with([status](const Json& request) {
      return response(Json{{"id", request["id"]}, {"result", health()}}.dump(), status);
    });
    expect_trouble(Kind::unreachable, "the RPC answered HTTP " + std::to_string(status));
  }
}

TEST_F(StellarRpcTest, WhatIsNoAnswerToTheRequestIsNonsense) {
  const auto not_the_response = "not the JSON-RPC response to the request";
  for (const std::string text : {"", "<html>", "null", "7", "[]", "{}", "{\"result\":{}}", "{\"id\":"}) {
    server_.answer_with([text](const Json&) { return response(text); });
    expect_trouble(Kind::nonsense, not_the_response);
  }
  for (const Json& id : {Json(), Json("another"), Json(1), Json::array()}) {
    server_.answer_with([id](const Json&) { return response(Json{{"id", id}, {"result", health()}}.dump()); });
    expect_trouble(Kind::nonsense, not_the_response);
  }
  server_.answer_with([](const Json& request) { return response(Json{{"id", request["id"]}}.dump()); });
  expect_trouble(Kind::nonsense, "no result");
  server_.answer(Json());
  expect_trouble(Kind::nonsense, "no object where oldestLedger belongs");
}

TEST_F(StellarRpcTest, AServerThatIsNotThereIsUnreachable) {
  {
    FakeRpc gone;
    options_.url = gone.url();
  }
  StellarRpc nobody(options_);
  expect_trouble_of([&] { static_cast<void>(nobody.window()); }, Kind::unreachable, "");
}

TEST_F(StellarRpcTest, CancellingEndsTheCallUnderWayAndLaterOnes) {
  std::promise<void> asked;
  server_.leave_unanswered([&] { asked.set_value(); });
  StellarRpc& client = rpc();
  std::thread canceller([&] {
    asked.get_future().wait();
    client.cancel();
  });
  expect_trouble(Kind::cancelled, "");
  canceller.join();
  expect_trouble(Kind::cancelled, "");
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(StellarRpcTest, EntriesAreOfTheLedgerWhoseHashWasTheSameBeforeAndAfter) {
  server_.answer(latest_ledger(90));
  server_.answer(entries({stream_entry(8, 6), stream_entry(7, 5)}, 90));
  server_.answer(ledgers_page(90, 90));
  const ports::StorageAnswer answer = rpc().contract_data({stream_key(7), stream_key(9), stream_key(8)});
  EXPECT_EQ(answer.ledger.sequence, 90u);
  EXPECT_EQ(answer.ledger.hash, ledger_hash(90));
  ASSERT_EQ(answer.entries.size(), 3u);
  EXPECT_EQ(answer.entries[0]->key, stream_key(7));
  EXPECT_FALSE(answer.entries[1]);
  EXPECT_EQ(answer.entries[2]->key, stream_key(8));

  const std::vector<Json> requests = server_.requests();
  EXPECT_EQ(requests[0]["method"], "getLatestLedger");
  EXPECT_EQ(requests[1]["method"], "getLedgerEntries");
  EXPECT_EQ(requests[1]["params"]["keys"][0], core::base64_encode(stream_key(7)));
  EXPECT_EQ(requests[2]["params"], (Json{{"startLedger", 90}, {"pagination", {{"limit", 1}}}}));
}

TEST_F(StellarRpcTest, EntriesOfALedgerThatMovedOnOrChangedAreAskedForAgain) {
  Json forked = ledgers_page(90, 90);
  forked["ledgers"][0] = ledger(190);
  forked["ledgers"][0]["sequence"] = 90;
  server_.answer(latest_ledger(89));
  server_.answer(entries({stream_entry(7, 1)}, 90));  // the tip has moved
  server_.answer(ledgers_page(90, 90));
  server_.answer(entries({stream_entry(7, 2)}, 90));
  server_.answer(forked);  // the ledger has become another one
  server_.answer(entries({stream_entry(7, 3)}, 90));
  server_.answer(forked);
  const ports::StorageAnswer answer = rpc().contract_data({stream_key(7)});
  EXPECT_EQ(answer.ledger.hash, ledger_hash(190));
  EXPECT_EQ(core::decode_contract_data(answer.entries[0]->key, answer.entries[0]->xdr)->u32(), 3u);
}

TEST_F(StellarRpcTest, ATipThatNeverStaysIsGivenUp) {
  server_.answer(latest_ledger(90));
  for (std::uint32_t latest : {91u, 92u, 93u}) {
    server_.answer(entries({}, latest));
    server_.answer(ledgers_page(latest, latest));
  }
  expect_trouble_of([&] { static_cast<void>(rpc().contract_data({stream_key(7)})); }, Kind::unreachable,
                    "another ledger at each look");
}

TEST_F(StellarRpcTest, AnEntryThatWasNotAskedForIsNonsense) {
  for (const Json& found : {entries({stream_entry(8, 6)}, 90), entries({stream_entry(7, 6), stream_entry(7, 6)}, 90)}) {
    server_.answer(latest_ledger(90));
    server_.answer(found);
    server_.answer(ledgers_page(90, 90));
    expect_trouble_of([&] { static_cast<void>(rpc().contract_data({stream_key(7)})); }, Kind::nonsense,
                      "wasn't asked for");
  }
}

}  // namespace
}  // namespace fluxora::chain::test
