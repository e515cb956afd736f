#include "rpc_answers.hpp"

#include <cstdint>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "good_answers.hpp"
#include "stream_samples.hpp"

namespace fluxora::chain::test {
namespace {

/// Why a result isn't believed; "believed" when it is.
template <class Read>
std::string refusal(Read read) {
  try {
    read();
  } catch (const ports::ChainError& error) {
    return error.kind() == ports::ChainError::Kind::nonsense ? error.what() : "another kind of error";
  }
  return "believed";
}

/// As it comes out of the text that a server sends.
Json received(const Json& result) {
  return Json::parse(result.dump());
}

std::string of_window(const Json& result) {
  return refusal([&] { static_cast<void>(read_window(received(result))); });
}
std::string of_events(const Json& result) {
  return refusal([&] { static_cast<void>(read_events(received(result), 1, 1'000)); });
}
std::string of_ledgers(const Json& result) {
  return refusal([&] { static_cast<void>(read_ledgers(received(result))); });
}

/// Something of every type that JSON has.
const Json values[] = {nullptr, true, 7, -7, 7.5, "text", "", Json::array(), Json::object()};

std::string because(const std::string& reason) {
  return "the RPC's answer has " + reason;
}

TEST(RpcPassphrase, IsReadAsItIs) {
  EXPECT_EQ(read_passphrase({{"passphrase", "Test SDF Network ; September 2015"}, {"protocolVersion", 22}}),
            "Test SDF Network ; September 2015");
}

TEST(RpcPassphrase, MustBeText) {
  const auto of = [](const Json& result) { return refusal([&] { static_cast<void>(read_passphrase(result)); }); };
  EXPECT_EQ(of(Json::object()), because("no passphrase"));
  EXPECT_EQ(of({{"passphrase", 7}}), because("no text in passphrase"));
  for (const Json& value : values) {
    if (value.is_object()) continue;
    EXPECT_EQ(of(value), because("no object where passphrase belongs")) << value;
  }
}

TEST(RpcPassphrase, IsALineOfText) {
  const auto of = [](const Json& result) { return refusal([&] { static_cast<void>(read_passphrase(result)); }); };
  for (const std::string& text : {std::string(), std::string("a\nb"), std::string("a\0b", 3), std::string(257, 'x')}) {
    EXPECT_EQ(of({{"passphrase", text}}), because("no passphrase in passphrase")) << text.size();
  }
}

TEST(RpcAnswer, MayNotBeNestedDeeply) {
  const auto of = [](const std::string& text) { return refusal([&] { static_cast<void>(parse_answer(text)); }); };
  EXPECT_EQ(of(std::string(32, '[') + std::string(32, ']')), "believed");
  EXPECT_EQ(of(std::string(33, '[') + std::string(33, ']')), because("JSON that is nested too deeply"));
  EXPECT_EQ(of(std::string(1'000'000, '[')), because("JSON that is nested too deeply"));
  EXPECT_EQ(of(R"({"a":")" + std::string(100, '[') + R"(\"[[["})"), "believed") << "in a text they are nothing";
  EXPECT_TRUE(parse_answer("[1").is_discarded());
  EXPECT_EQ(parse_answer(R"({"a":[]})"), (Json{{"a", Json::array()}}));
}

TEST(Quotable, IsShortAndOnOneLine) {
  EXPECT_EQ(quotable("no such ledger"), "no such ledger");
  EXPECT_EQ(quotable("a\tb\x7f"), "a b ");
  EXPECT_EQ(quotable(std::string(300, 'x')), std::string(256, 'x') + "…");
  const std::string in_the_middle = std::string(255, 'x') + "é" + "x";
  EXPECT_EQ(quotable(in_the_middle), std::string(255, 'x') + "…");
}

TEST(RpcWindow, IsRead) {
  const ports::LedgerWindow window = read_window(received(health(7, 4'294'967'295)));
  EXPECT_EQ(window.oldest, 7u);
  EXPECT_EQ(window.latest, 4'294'967'295u);
}

TEST(RpcWindow, OlderServersWriteNumbersAsText) {
  Json result = health();
  result["latestLedger"] = "1000";
  EXPECT_EQ(read_window(received(result)).latest, 1'000u);
}

TEST(RpcWindow, MayBeOneLedger) {
  EXPECT_EQ(read_window(received(health(5, 5))).oldest, 5u);
  EXPECT_EQ(of_window(health(6, 5)), because("an oldestLedger above its latestLedger"));
}

TEST(RpcWindow, NamesWhatCannotBeRight) {
  for (const std::string field : {"oldestLedger", "latestLedger"}) {
    Json missing = health();
    missing.erase(field);
    EXPECT_EQ(of_window(missing), because("no " + field));
    for (const Json& value : {Json(), Json(true), Json(-1), Json(1.5), Json(Json::array()), Json("1x"), Json(""),
                              Json(" 1"), Json("-1"), Json("0x10")}) {
      Json wrong = health();
      wrong[field] = value;
      EXPECT_EQ(of_window(wrong), because("no number in " + field)) << value;
    }
    for (const Json& value : {Json(4'294'967'296), Json("4294967296"), Json(18'446'744'073'709'551'615u)}) {
      Json wrong = health();
      wrong[field] = value;
      EXPECT_EQ(of_window(wrong), because("a number out of range in " + field)) << value;
    }
  }
}

TEST(RpcEvents, AnEventIsReadWhole) {
  const EventsAnswer answer = read_events(received(events_page({event(500, 3)})), 1, 1'000);
  EXPECT_EQ(answer.items, 1u);
  EXPECT_EQ(answer.cursor, event_id(500, 3));
  EXPECT_EQ(answer.window.oldest, 1u);
  EXPECT_EQ(answer.window.latest, 1'000u);
  ASSERT_EQ(answer.events.size(), 1u);
  const ports::ChainEvent& read = answer.events[0];
  EXPECT_EQ(read.event_id, "0000002147483648000-0000000003");
  EXPECT_EQ(read.contract_id, core::sample_contract);
  EXPECT_EQ(read.ledger, 500u);
  EXPECT_EQ(read.closed_at, 1'774'776'687u + 2'500);
  EXPECT_EQ(read.tx_hash, core::hash_of(0xa1));
  EXPECT_TRUE(read.in_successful_call);
  ASSERT_EQ(read.topics_xdr.size(), 2u);
  EXPECT_EQ(read.topics_xdr[1], (core::Bytes{0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7}));
  EXPECT_EQ(read.value_xdr, (core::Bytes{0, 0, 0, 1}));
}

TEST(RpcEvents, NonePerhaps) {
  const EventsAnswer answer = read_events(received(events_page({})), 1, 1'000);
  EXPECT_TRUE(answer.events.empty());
  EXPECT_EQ(answer.items, 0u);
}

TEST(RpcEvents, CallsThatFailedSaySo) {
  Json item = event(500);
  item["inSuccessfulContractCall"] = false;
  EXPECT_FALSE(read_events(received(events_page({item})), 1, 1'000).events[0].in_successful_call);
  item.erase("inSuccessfulContractCall");  // the newest servers
  EXPECT_TRUE(read_events(received(events_page({item})), 1, 1'000).events[0].in_successful_call);
}

TEST(RpcEvents, OtherTypesCountButAreNotRead) {
  Json item = event(500);
  item["type"] = "system";
  item.erase("id");
  const EventsAnswer answer = read_events(received(events_page({event(499), event(501)})), 1, 1'000);
  EXPECT_EQ(answer.events.size(), 2u);
  Json page = events_page({event(499)});
  page["events"].push_back(item);
  EXPECT_EQ(read_events(received(page), 1, 1'000).items, 2u);
  EXPECT_EQ(read_events(received(page), 1, 1'000).events.size(), 1u);
}

TEST(RpcEvents, APageNamesWhatCannotBeRight) {
  for (const std::string field : {"events", "cursor", "latestLedger", "oldestLedger"}) {
    Json missing = events_page({event(500)});
    missing.erase(field);
    EXPECT_EQ(of_events(missing), because("no " + field));
  }
  for (const Json& value : values) {
    Json wrong = events_page({});
    wrong["events"] = value;
    EXPECT_EQ(of_events(wrong), value.is_array() ? "believed" : because("no list in events")) << value;
    wrong = events_page({});
    wrong["cursor"] = value;
    EXPECT_EQ(of_events(wrong), value.is_string() ? "believed" : because("no text in cursor")) << value;
    Json item = events_page({});
    item["events"].push_back(value);
    EXPECT_NE(of_events(item), "believed") << value;
  }
}

TEST(RpcEvents, AnEventNamesWhatIsMissing) {
  for (const std::string field : {"type", "ledger", "ledgerClosedAt", "contractId", "id", "txHash", "topic", "value"}) {
    Json item = event(500);
    item.erase(field);
    EXPECT_EQ(of_events(events_page({event(1)})), "believed");
    Json page = events_page({event(1)});
    page["events"][0] = item;
    EXPECT_EQ(of_events(page), because("no " + field));
  }
}

TEST(RpcEvents, AnEventNamesWhatIsOfAnotherType) {
  for (const std::string field : {"type", "ledgerClosedAt", "contractId", "id", "txHash", "value"}) {
    for (const Json& value : values) {
      if (value.is_string()) continue;
      Json page = events_page({event(500)});
      page["events"][0][field] = value;
      EXPECT_EQ(of_events(page), because("no text in " + field)) << value;
    }
  }
  for (const Json& value : values) {
    Json page = events_page({event(500)});
    page["events"][0]["topic"] = value;
    EXPECT_EQ(of_events(page), value.is_array() ? "believed" : because("no list in topic")) << value;
    if (!value.is_string()) {
      page["events"][0]["topic"] = Json::array({value});
      EXPECT_EQ(of_events(page), because("no text in topic")) << value;
    }
    page = events_page({event(500)});
    page["events"][0]["inSuccessfulContractCall"] = value;
    EXPECT_EQ(of_events(page), value.is_boolean() ? "believed" : because("no boolean in inSuccessfulContractCall"))
        << value;
  }
}

TEST(RpcEvents, AnEventNamesWhatIsMalformed) {
  const struct {
    std::string field;
    std::string text;
    std::string reason;
  } cases[] = {
      {"ledgerClosedAt", "yesterday", "no time in ledgerClosedAt"},
      {"ledgerClosedAt", "2026-02-30T00:00:00Z", "no time in ledgerClosedAt"},
      {"contractId", std::string(core::sample_sender), "no contract address in contractId"},
      {"contractId", "", "no contract address in contractId"},
      {"txHash", "a1", "no 32-byte hash in txHash"},
      {"txHash", std::string(64, 'g'), "no 32-byte hash in txHash"},
      {"txHash", std::string(66, 'a'), "no 32-byte hash in txHash"},
      {"value", "AAAAAQ=", "no base64 in value"},
      {"value", "****", "no base64 in value"},
      {"id", "", "an event id of another form"},
      {"id", "0000002147483648000-000000000", "an event id of another form"},
      {"id", "0000002147483648000-00000000000", "an event id of another form"},
      {"id", "0000002147483648000_0000000000", "an event id of another form"},
      {"id", "000000214748364800x-0000000000", "an event id of another form"},
      {"id", "0000002147483648000-000000000-", "an event id of another form"},
  };
  for (const auto& wrong : cases) {
    Json page = events_page({event(500)});
    page["events"][0][wrong.field] = wrong.text;
    EXPECT_EQ(of_events(page), because(wrong.reason)) << wrong.text;
  }
  Json page = events_page({event(500)});
  page["events"][0]["topic"][1] = "AAAA*";
  EXPECT_EQ(of_events(page), because("no base64 in topic"));
}

TEST(RpcEvents, AnIdMustBeOfItsLedger) {
  Json page = events_page({event(500)});
  page["events"][0]["id"] = event_id(501, 0);
  EXPECT_EQ(of_events(page), because("an event id that contradicts its ledger"));
  page["events"][0]["id"] = event_id(499, 4'294'967'295);
  EXPECT_EQ(of_events(page), because("an event id that contradicts its ledger"));
  // Transaction and operation, in the lower half, may be anything: 500 << 32 | 4095.
  page["events"][0]["id"] = "0000002147483652095-0000000001";
  EXPECT_EQ(of_events(page), "believed");
}

TEST(RpcEvents, MustAscend) {
  EXPECT_EQ(of_events(events_page({event(500, 1), event(500, 2), event(501, 0)})), "believed");
  EXPECT_EQ(of_events(events_page({event(500, 2), event(500, 1)})), because("events out of order"));
  EXPECT_EQ(of_events(events_page({event(501, 0), event(500, 1)})), because("events out of order"));
  EXPECT_EQ(of_events(events_page({event(500, 1), event(500, 1)})), because("events out of order"));
}

TEST(RpcEvents, MustBeOfTheLedgersAskedFor) {
  const auto of = [](std::uint32_t first, std::uint32_t last) {
    return refusal([&] { static_cast<void>(read_events(received(events_page({event(500)})), first, last)); });
  };
  EXPECT_EQ(of(500, 500), "believed");
  EXPECT_EQ(of(501, 600), because("an event of a ledger that wasn't asked for"));
  EXPECT_EQ(of(400, 499), because("an event of a ledger that wasn't asked for"));
}

TEST(RpcLedgers, AHeaderIsRead) {
  const auto headers = read_ledgers(received(ledgers_page(500, 501)));
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].sequence, 500u);
  EXPECT_EQ(headers[0].hash, ledger_hash(500));
  EXPECT_EQ(headers[0].previous_hash, ledger_hash(499));
  EXPECT_EQ(headers[0].closed_at, 1'774'776'687u + 2'500);
  EXPECT_EQ(headers[1].previous_hash, headers[0].hash);
}

TEST(RpcLedgers, CloseTimesMayBeNumbers) {
  Json page = ledgers_page(500, 500);
  page["ledgers"][0]["ledgerCloseTime"] = 1'234;
  EXPECT_EQ(read_ledgers(received(page))[0].closed_at, 1'234u);
}

TEST(RpcLedgers, NameWhatIsMissing) {
  EXPECT_EQ(of_ledgers(Json::object()), because("no ledgers"));
  for (const std::string field : {"sequence", "hash", "ledgerCloseTime", "headerXdr"}) {
    Json page = ledgers_page(500, 500);
    page["ledgers"][0].erase(field);
    EXPECT_EQ(of_ledgers(page), because("no " + field));
  }
}

TEST(RpcLedgers, NameWhatCannotBeRight) {
  for (const Json& value : values) {
    Json page = ledgers_page(500, 500);
    page["ledgers"] = value;
    EXPECT_EQ(of_ledgers(page), value.is_array() ? "believed" : because("no list in ledgers")) << value;
    page["ledgers"] = Json::array({value});
    EXPECT_NE(of_ledgers(page), "believed") << value;
    if (value.is_string()) continue;
    for (const std::string field : {"hash", "headerXdr"}) {
      Json wrong = ledgers_page(500, 500);
      wrong["ledgers"][0][field] = value;
      EXPECT_EQ(of_ledgers(wrong), because("no text in " + field)) << value;
    }
  }
  const struct {
    std::string field;
    Json value;
    std::string reason;
  } cases[] = {
      {"sequence", 4'294'967'296, "a number out of range in sequence"},
      {"sequence", "x", "no number in sequence"},
      {"ledgerCloseTime", "soon", "no number in ledgerCloseTime"},
      {"ledgerCloseTime", -5, "no number in ledgerCloseTime"},
      {"ledgerCloseTime", "253402300800", "a number out of range in ledgerCloseTime"},
      {"hash", "1e", "no 32-byte hash in hash"},
      {"headerXdr", "!", "no base64 in headerXdr"},
      {"headerXdr", "", "a truncated headerXdr"},
      {"headerXdr", core::base64_encode(core::Bytes(67, 0)), "a truncated headerXdr"},
      {"headerXdr", core::base64_encode(core::Bytes(68, 0)), "a headerXdr of another ledger than its hash"},
      {"hash", std::string(64, '0'), "a headerXdr of another ledger than its hash"},
  };
  for (const auto& wrong : cases) {
    Json page = ledgers_page(500, 500);
    page["ledgers"][0][wrong.field] = wrong.value;
    EXPECT_EQ(of_ledgers(page), because(wrong.reason)) << wrong.value;
  }
}

TEST(RpcLatestLedger, IsItsNumberAndHash) {
  const LatestLedger latest = read_latest_ledger(received(latest_ledger(77)));
  EXPECT_EQ(latest.sequence, 77u);
  EXPECT_EQ(latest.hash, ledger_hash(77));
  const auto of = [](Json result, const char* name, const Json& value) {
    result[name] = value;
    return refusal([&] { static_cast<void>(read_latest_ledger(received(result))); });
  };
  EXPECT_EQ(of(latest_ledger(77), "id", "77"), because("no 32-byte hash in id"));
  EXPECT_EQ(of(latest_ledger(77), "sequence", -1), because("no number in sequence"));
}

TEST(RpcEntries, AreReadWhole) {
  const EntriesAnswer answer = read_entries(received(entries({stream_entry(7, 5, 12), stream_entry(8, 6)}, 90)));
  EXPECT_EQ(answer.ledger, 90u);
  ASSERT_EQ(answer.entries.size(), 2u);
  EXPECT_EQ(core::base64_encode(answer.entries[0].key), stream_entry(7, 5)["key"]);
  EXPECT_EQ(core::base64_encode(answer.entries[0].xdr), stream_entry(7, 5)["xdr"]);
  EXPECT_EQ(answer.entries[0].last_modified_ledger, 12u);
  EXPECT_EQ(answer.entries[0].live_until_ledger, 512u);
}

TEST(RpcEntries, MayBeNoneOrLiveForEver) {
  EXPECT_TRUE(read_entries(received(entries({}, 90))).entries.empty());
  EXPECT_TRUE(read_entries(received({{"entries", nullptr}, {"latestLedger", 90}})).entries.empty());
  Json lasting = stream_entry(7, 5);
  lasting.erase("liveUntilLedgerSeq");
  EXPECT_FALSE(read_entries(entries({lasting}, 90)).entries[0].live_until_ledger);
}

TEST(RpcEntries, NameWhatCannotBeRight) {
  const auto of = [](const Json& item) {
    return refusal([&] { static_cast<void>(read_entries(received(entries({item}, 90)))); });
  };
  const auto with = [](const char* name, const Json& value) {
    Json item = stream_entry(7, 5);
    item[name] = value;
    return item;
  };
  EXPECT_EQ(of(with("key", "?")), because("no base64 in key"));
  EXPECT_EQ(of(with("xdr", 7)), because("no text in xdr"));
  EXPECT_EQ(of(with("xdr", stream_entry(8, 5)["xdr"])), because("no contract data of its key in xdr"));
  EXPECT_EQ(of(with("xdr", "AAAA")), because("no contract data of its key in xdr"));
  EXPECT_EQ(of(with("lastModifiedLedgerSeq", 91)), because("an entry that was modified after its latestLedger"));
  EXPECT_EQ(of(with("liveUntilLedgerSeq", "soon")), because("no number in liveUntilLedgerSeq"));
  for (const char* name : {"key", "xdr", "lastModifiedLedgerSeq"}) {
    Json item = stream_entry(7, 5);
    item.erase(name);
    EXPECT_EQ(of(item), because(std::string("no ") + name));
  }
  for (const Json& value : values) {
    if (value.is_array() || value.is_null()) continue;
    const Json result = {{"entries", value}, {"latestLedger", 90}};
    EXPECT_EQ(refusal([&] { static_cast<void>(read_entries(received(result))); }), because("no list in entries"))
        << value;
  }
}

}  // namespace
}  // namespace fluxora::chain::test
