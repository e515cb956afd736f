#include "fluxora/core/stream.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

constexpr std::string_view api_id = "api-01890a5d-ac96-774b-bcce-b302099a8057";
constexpr std::uint64_t last_u64 = std::numeric_limits<std::uint64_t>::max();

TEST(StreamNames, AreTheSpecs) {
  EXPECT_EQ(source_name(StreamSource::chain), "chain");
  EXPECT_EQ(source_name(StreamSource::api), "api");
  EXPECT_EQ(kind_name(StreamKind::linear), "linear");
  EXPECT_EQ(kind_name(StreamKind::cliff_only), "cliff_only");
  EXPECT_EQ(kind_name(StreamKind::cliff_slope), "cliff_slope");
  EXPECT_EQ(status_name(StreamStatus::active), "active");
  EXPECT_EQ(status_name(StreamStatus::paused), "paused");
  EXPECT_EQ(status_name(StreamStatus::completed), "completed");
  EXPECT_EQ(status_name(StreamStatus::cancelled), "cancelled");
}

TEST(StreamId, OfAChainStreamIsItsContractAndNumber) {
  EXPECT_EQ(chain_stream_id(sample_contract, 0), "CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-0");
  EXPECT_EQ(chain_stream_id(sample_contract, last_u64),
            "CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-18446744073709551615");
}

TEST(StreamId, FormsThatAreOnes) {
  EXPECT_TRUE(is_stream_id(chain_stream_id(sample_contract, 0)));
  EXPECT_TRUE(is_stream_id(chain_stream_id(sample_contract, 10)));
  EXPECT_TRUE(is_stream_id(chain_stream_id(sample_token, last_u64)));
  EXPECT_TRUE(is_stream_id(api_id));
  for (const char variant : {'8', '9', 'a', 'b'}) {
    std::string id(api_id);
    id[4 + 19] = variant;
    EXPECT_TRUE(is_stream_id(id)) << id;
  }
}

TEST(StreamId, ChainFormsThatAreNone) {
  const std::string contract(sample_contract);
  for (const char* number : {"", "-", "-1", "+1", "01", "00", " 1", "1 ", "1-1", "0x1", "1.0", "a",
                             "18446744073709551616", "100000000000000000000000000000000"}) {
    EXPECT_FALSE(is_stream_id(contract + "-" + number)) << number;
  }
  EXPECT_FALSE(is_stream_id(contract));
  EXPECT_FALSE(is_stream_id(contract + "_7"));
  EXPECT_FALSE(is_stream_id("-7"));
  EXPECT_FALSE(is_stream_id("7"));
  EXPECT_FALSE(is_stream_id(""));
  EXPECT_FALSE(is_stream_id(" " + chain_stream_id(sample_contract, 7)));
  // An account's address, a wrong checksum, lower case, a character short.
  EXPECT_FALSE(is_stream_id(chain_stream_id(sample_sender, 7)));
  EXPECT_FALSE(is_stream_id(contract.substr(0, 55) + "A-7"));
  EXPECT_FALSE(is_stream_id("c" + contract.substr(1) + "-7"));
  EXPECT_FALSE(is_stream_id(contract.substr(1) + "-7"));
  EXPECT_FALSE(is_stream_id(std::string(contract + "-7").append(1, '\0')));
}

TEST(StreamId, ApiFormsThatAreNone) {
  for (const std::string_view id :
       {"api-", "api-01890a5d-ac96-774b-bcce-b302099a805", "api-01890a5d-ac96-774b-bcce-b302099a80577",
        "api-01890a5dac96774bbcceb302099a8057", "API-01890a5d-ac96-774b-bcce-b302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        // versions 4 and 8, variants outside 8 to b
        "api-01890a5d-ac96-474b-bcce-b302099a8057", "api-01890a5d-ac96-874b-bcce-b302099a8057",
        "api-01890a5d-ac96-774b-7cce-b302099a8057", "api-01890a5d-ac96-774b-ccce-b302099a8057",
        // upper case, other characters, a dash elsewhere
        "api-01890A5D-AC96-774B-BCCE-B302099A8057", "api-01890g5d-ac96-774b-bcce-b302099a8057",
        "api-01890a5-dac96-774b-bcce-b302099a8057", "api-01890a5d-ac96-774b-bcce-b302099a80-7"}) {
    EXPECT_FALSE(is_stream_id(id)) << id;
  }
}

TEST(StreamId, NamesItsContract) {
  Stream stream = sample_stream();
  EXPECT_EQ(stream_contract(stream), sample_contract);
  stream.id = api_id;
  stream.source = StreamSource::api;
  EXPECT_EQ(stream_contract(stream), "");
}

/// Every optional part there, and every number at an end of its range.
Stream full_stream() {
  Stream stream;
  stream.id = chain_stream_id(sample_contract, last_u64);
  stream.kind = StreamKind::cliff_slope;
  stream.status = StreamStatus::cancelled;
  stream.archived = true;
  stream.sender = sample_sender;
  stream.recipient = sample_recipient;
  stream.token = sample_token;
  stream.deposit = Amount{int128_max};
  stream.rate_per_second = Amount{int128_min};
  stream.withdrawn = Amount{-1};
  stream.settled = Amount{Int128{1} << 64};
  stream.start_time = last_u64;
  stream.cliff_time = last_u64 - 1;
  stream.end_time = last_u64 - 2;
  stream.cancelled_at = last_u64 - 3;
  stream.checkpoint_amount = Amount{-(Int128{1} << 64)};
  stream.checkpoint_at = last_u64 - 4;
  stream.created_at = std::numeric_limits<UnixMillis>::min();
  stream.updated_at = std::numeric_limits<UnixMillis>::max();
  stream.version = last_u64;
  stream.created_seq = last_u64 - 5;
  stream.ledger = std::numeric_limits<std::uint32_t>::max();
  stream.tx_hash = hash_of(0xff);
  return stream;
}

/// As little as a stream can have.
Stream api_stream() {
  Stream stream;
  stream.id = api_id;
  stream.source = StreamSource::api;
  return stream;
}

TEST(StreamCodec, GivesTheStreamAgain) {
  for (const Stream& stream : {sample_stream(), full_stream(), api_stream(), Stream{}}) {
    const Bytes bytes = encode_stream(stream);
    const auto decoded = decode_stream(bytes);
    ASSERT_TRUE(decoded) << error_name(decoded.error().code);
    EXPECT_EQ(*decoded, stream);
    EXPECT_EQ(encode_stream(*decoded), bytes);
  }
}

TEST(StreamCodec, LayoutIsPinned) {
  // Databases hold these bytes: another layout is a migration, never an accident.
  Stream stream = api_stream();
  stream.kind = StreamKind::cliff_only;
  stream.status = StreamStatus::paused;
  stream.sender = "GS";
  stream.recipient = "GR";
  stream.deposit = Amount{0x0102};
  stream.rate_per_second = Amount{-1};
  stream.withdrawn = Amount{3};
  stream.settled = Amount{4};
  stream.start_time = 5;
  stream.cliff_time = 6;
  stream.end_time = 7;
  stream.cancelled_at = 8;
  stream.checkpoint_amount = Amount{9};
  stream.checkpoint_at = 10;
  stream.created_at = 11;
  stream.updated_at = 12;
  stream.version = 13;
  stream.created_seq = 14;
  stream.ledger = 15;
  const std::string expected =
      "00000028"
      "6170692d30313839306135642d616339362d373734622d626363652d623330323039396138303537"  // id
      "00000001"
      "00000001"
      "00000001"
      "00000000"  // source, kind, status, archived
      "00000002"
      "47530000"
      "00000002"
      "47520000"
      "00000000"                          // sender, recipient, no token
      "00000000000000000000000000000102"  // deposit
      "ffffffffffffffffffffffffffffffff"  // rate
      "00000000000000000000000000000003"
      "00000000000000000000000000000004"  // withdrawn, settled
      "0000000000000005"
      "0000000000000006"
      "0000000000000007"  // start, cliff, end
      "00000001"
      "0000000000000008"  // cancelled at
      "00000000000000000000000000000009"
      "000000000000000a"  // checkpoint
      "000000000000000b"
      "000000000000000c"  // created, updated
      "000000000000000d"
      "000000000000000e"  // version, log position of the creation
      "00000001"
      "0000000f"
      "00000000";  // ledger, no transaction
  EXPECT_EQ(hex_encode(encode_stream(stream)), expected);
}

TEST(StreamCodec, BytesDifferWhereStreamsDo) {
  const std::function<void(Stream&)> changes[] = {
      [](Stream& s) { s.id += "0"; },
      [](Stream& s) { s.source = StreamSource::api; },
      [](Stream& s) { s.kind = StreamKind::cliff_only; },
      [](Stream& s) { s.status = StreamStatus::paused; },
      [](Stream& s) { s.archived = true; },
      [](Stream& s) { s.sender = sample_delegate; },
      [](Stream& s) { s.recipient = sample_delegate; },
      [](Stream& s) { s.token = ""; },
      [](Stream& s) { s.token = sample_token; },
      [](Stream& s) { s.deposit.units += 1; },
      [](Stream& s) { s.rate_per_second.units += 1; },
      [](Stream& s) { s.withdrawn.units += 1; },
      [](Stream& s) { s.settled.units += 1; },
      [](Stream& s) { s.start_time += 1; },
      [](Stream& s) { s.cliff_time += 1; },
      [](Stream& s) { s.end_time += 1; },
      [](Stream& s) { s.cancelled_at = 0; },
      [](Stream& s) { s.checkpoint_amount.units += 1; },
      [](Stream& s) { s.checkpoint_at += 1; },
      [](Stream& s) { s.created_at += 1; },
      [](Stream& s) { s.updated_at += 1; },
      [](Stream& s) { s.version += 1; },
      [](Stream& s) { s.created_seq += 1; },
      [](Stream& s) { s.ledger = 501; },
      [](Stream& s) { s.ledger.reset(); },
      [](Stream& s) { s.tx_hash = hash_of(0); },
      [](Stream& s) { s.tx_hash.reset(); },
  };
  std::set<Bytes> encodings = {encode_stream(sample_stream())};
  for (const auto& change : changes) {
    Stream stream = sample_stream();
    change(stream);
    EXPECT_NE(stream, sample_stream());
    encodings.insert(encode_stream(stream));
    const auto decoded = decode_stream(encode_stream(stream));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, stream);
  }
  EXPECT_EQ(encodings.size(), std::size(changes) + 1);
}

TEST(StreamCodec, EveryTruncationIsRefused) {
  for (const Stream& stream : {full_stream(), api_stream()}) {
    const Bytes bytes = encode_stream(stream);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto decoded = decode_stream(ByteView(bytes).first(size));
      ASSERT_FALSE(decoded) << size;
      EXPECT_EQ(decoded.error().code, ErrorCode::xdr_truncated) << size;
    }
  }
}

TEST(StreamCodec, TrailingBytesAreRefused) {
  for (const std::size_t extra : {1u, 4u, 100u}) {
    Bytes bytes = encode_stream(full_stream());
    bytes.resize(bytes.size() + extra);
    const auto decoded = decode_stream(bytes);
    ASSERT_FALSE(decoded) << extra;
    EXPECT_EQ(decoded.error().code, ErrorCode::xdr_trailing_bytes) << extra;
  }
}

/// The error of full_stream()'s bytes with one of them set.
ErrorCode error_with_byte(std::size_t offset, std::uint8_t value) {
  Bytes bytes = encode_stream(full_stream());
  bytes[offset] = value;
  const auto decoded = decode_stream(bytes);
  EXPECT_FALSE(decoded);
  return decoded ? ErrorCode::decimal_invalid_type : decoded.error().code;
}

TEST(StreamCodec, ValuesOutsideTheirRangeAreRefused) {
  // The id is 77 characters and 3 bytes of padding behind its length; source, kind, status and archived follow.
  constexpr std::size_t padding = 4 + 77;
  constexpr std::size_t source = 4 + 80;
  EXPECT_EQ(error_with_byte(padding, 1), ErrorCode::xdr_nonzero_padding);
  EXPECT_EQ(error_with_byte(source + 3, 2), ErrorCode::xdr_unknown_discriminant);
  EXPECT_EQ(error_with_byte(source, 0x80), ErrorCode::xdr_unknown_discriminant);
  EXPECT_EQ(error_with_byte(source + 7, 3), ErrorCode::xdr_unknown_discriminant);
  EXPECT_EQ(error_with_byte(source + 11, 4), ErrorCode::xdr_unknown_discriminant);
  EXPECT_EQ(error_with_byte(source + 15, 2), ErrorCode::xdr_invalid_value);
  // Longer than any id that can be: refused before it is read, whatever follows.
  EXPECT_EQ(error_with_byte(0, 0xff), ErrorCode::xdr_too_long);
}

std::string stream_json(const Stream& stream, UnixSeconds as_of) {
  std::string text;
  JsonWriter json(text);
  write_stream_json(json, stream, as_of);
  return text;
}

/// The text of a member of a stream's JSON, up to the next one's name.
std::string member(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const std::size_t at = json.find(key);
  EXPECT_NE(at, std::string::npos) << name << " in " << json;
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return json.substr(begin, std::min(json.find(",\"", begin), json.size() - 1) - begin);
}

TEST(StreamJson, OfAChainStream) {
  Stream stream = sample_stream();
  stream.token = sample_token;
  stream.withdrawn = tokens(100);
  stream.checkpoint_amount = Amount{116};
  EXPECT_EQ(stream_json(stream, 1250),
            R"({"id":"CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-7","source":"chain",)"
            R"("sender":"GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J",)"
            R"("recipient":"GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I",)"
            R"("token":"CBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHAGEP",)"
            R"("depositAmount":"1000.0000000","ratePerSecond":"1.0000000","withdrawnAmount":"100.0000000",)"
            R"("settledAmount":"0.0000000","streamedAmount":"250.0000116","withdrawableAmount":"150.0000116",)"
            R"("remainingAmount":"900.0000000","asOf":1250,"startTime":1000,"cliffTime":1000,"endTime":2000,)"
            R"("cancelledAt":null,"checkpointedAmount":"0.0000116","checkpointedAt":1000,"kind":"linear",)"
            R"("status":"active","archived":false,"version":40,"createdAt":"1970-01-01T00:15:00.000Z",)"
            R"("updatedAt":"1970-01-01T00:15:00.000Z","ledger":500,)"
            R"("txHash":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",)"
            R"("contractId":"CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND"})");
}

TEST(StreamJson, OfAnApiStream) {
  Stream stream = sample_stream();
  stream.id = api_id;
  stream.source = StreamSource::api;
  stream.kind = StreamKind::cliff_only;
  stream.status = StreamStatus::cancelled;
  stream.cancelled_at = 1500;
  stream.created_at = 1'774'776'687'042;
  stream.updated_at = 1'774'776'687'999;
  stream.ledger.reset();
  stream.tx_hash.reset();
  EXPECT_EQ(stream_json(stream, 1'774'776'688),
            R"({"id":"api-01890a5d-ac96-774b-bcce-b302099a8057","source":"api",)"
            R"("sender":"GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J",)"
            R"("recipient":"GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I","token":null,)"
            R"("depositAmount":"1000.0000000","ratePerSecond":"1.0000000","withdrawnAmount":"0.0000000",)"
            R"("settledAmount":"0.0000000","streamedAmount":"1000.0000000","withdrawableAmount":"1000.0000000",)"
            R"("remainingAmount":"1000.0000000","asOf":1774776688,"startTime":1000,"cliffTime":1000,"endTime":2000,)"
            R"("cancelledAt":1500,"checkpointedAmount":"0.0000000","checkpointedAt":1000,"kind":"cliff_only",)"
            R"("status":"cancelled","archived":false,"version":40,"createdAt":"2026-03-29T09:31:27.042Z",)"
            R"("updatedAt":"2026-03-29T09:31:27.999Z","ledger":null,"txHash":null,"contractId":null})");
}

TEST(StreamJson, AmountsAreComputedAtTheGivenTime) {
  const Stream stream = sample_stream();
  EXPECT_EQ(member(stream_json(stream, 0), "streamedAmount"), R"("0.0000000")");
  EXPECT_EQ(member(stream_json(stream, 1001), "streamedAmount"), R"("1.0000000")");
  EXPECT_EQ(member(stream_json(stream, 9999), "streamedAmount"), R"("1000.0000000")");
  EXPECT_EQ(member(stream_json(stream, 9999), "asOf"), "9999");
}

TEST(StreamJson, AnActiveStreamBeforeItsStartIsScheduled) {
  Stream stream = sample_stream();
  stream.cliff_time = 1500;
  EXPECT_EQ(member(stream_json(stream, 999), "status"), R"("scheduled")");
  EXPECT_EQ(member(stream_json(stream, 1000), "status"), R"("active")");
  for (const auto& [status, name] :
       {std::pair(StreamStatus::paused, R"("paused")"), std::pair(StreamStatus::completed, R"("completed")"),
        std::pair(StreamStatus::cancelled, R"("cancelled")")}) {
    stream.status = status;
    EXPECT_EQ(member(stream_json(stream, 999), "status"), name);
    EXPECT_EQ(member(stream_json(stream, 1000), "status"), name);
  }
}

TEST(StreamJson, TimesThatJsonNumbersCannotHoldAreStrings) {
  constexpr UnixSeconds last_number = (UnixSeconds{1} << 53) - 1;
  Stream stream = sample_stream();
  const auto show = [&](UnixSeconds time) {
    stream.start_time = time;
    stream.cliff_time = time;
    stream.end_time = time;
    stream.cancelled_at = time;
    stream.checkpoint_at = time;
    return stream_json(stream, time);
  };
  for (const char* name : {"asOf", "startTime", "cliffTime", "endTime", "cancelledAt", "checkpointedAt"}) {
    EXPECT_EQ(member(show(last_number), name), "9007199254740991") << name;
    EXPECT_EQ(member(show(last_number + 1), name), R"("9007199254740992")") << name;
    EXPECT_EQ(member(show(last_u64), name), R"("18446744073709551615")") << name;
  }
}

TEST(StreamJson, ArchivedIsShown) {
  Stream stream = sample_stream();
  stream.archived = true;
  EXPECT_EQ(member(stream_json(stream, 0), "archived"), "true");
}

}  // namespace
}  // namespace fluxora::core
