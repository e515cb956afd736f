#include "rows.hpp"

#include <limits>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::store {
namespace {

/// What a row holds in the column of that name.
template <class Row>
std::optional<std::string> column(const Row& row, const std::vector<std::string>& columns, const std::string& name) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) return row.at(i);
  }
  ADD_FAILURE() << "no column " << name;
  return std::nullopt;
}

core::Stream full_stream() {
  core::Stream stream = core::sample_stream();
  stream.source = core::StreamSource::api;
  stream.kind = core::StreamKind::cliff_slope;
  stream.status = core::StreamStatus::cancelled;
  stream.archived = true;
  stream.token = core::sample_token;
  stream.deposit = {core::int128_max};
  stream.withdrawn = {core::int128_min};
  stream.settled = {1};
  stream.end_time = std::numeric_limits<core::UnixSeconds>::max();
  stream.cancelled_at = 0;
  return stream;
}

TEST(StreamRow, HasAColumnForEachName) {
  EXPECT_EQ(stream_columns().size(), StreamRow{}.size());
  EXPECT_EQ(std::set<std::string>(stream_columns().begin(), stream_columns().end()).size(), stream_columns().size());
}

TEST(StreamRow, HoldsAStream) {
  const StreamRow row = stream_row(full_stream());
  const auto at = [&](const std::string& name) { return column(row, stream_columns(), name); };
  EXPECT_EQ(at("id"), full_stream().id);
  EXPECT_EQ(at("source"), "1");
  EXPECT_EQ(at("kind"), "2");
  EXPECT_EQ(at("status"), "3");
  EXPECT_EQ(at("archived"), "t");
  EXPECT_EQ(at("sender"), std::string(core::sample_sender));
  EXPECT_EQ(at("recipient"), std::string(core::sample_recipient));
  EXPECT_EQ(at("token"), std::string(core::sample_token));
  EXPECT_EQ(at("deposit"), "170141183460469231731687303715884105727");
  EXPECT_EQ(at("rate_per_second"), "10000000");
  EXPECT_EQ(at("withdrawn"), "-170141183460469231731687303715884105728");
  EXPECT_EQ(at("settled"), "1");
  EXPECT_EQ(at("start_time"), "1000");
  EXPECT_EQ(at("cliff_time"), "1000");
  EXPECT_EQ(at("end_time"), "18446744073709551615");
  EXPECT_EQ(at("cancelled_at"), "0") << "second 0 is a time, not none";
  EXPECT_EQ(at("checkpoint_amount"), "0");
  EXPECT_EQ(at("checkpoint_at"), "1000");
  EXPECT_EQ(at("created_at_ms"), "900000");
  EXPECT_EQ(at("updated_at_ms"), "900000");
  EXPECT_EQ(at("version"), "40");
  EXPECT_EQ(at("created_seq"), "40");
  EXPECT_EQ(at("ledger"), "500");
  EXPECT_EQ(at("tx_hash"), "\\x" + core::hex_encode(core::hash_of(0xa1)));
}

TEST(StreamRow, WhatIsNotThereIsNull) {
  core::Stream stream = core::sample_stream();
  stream.ledger.reset();
  stream.tx_hash.reset();
  const StreamRow row = stream_row(stream);
  for (const std::string name : {"token", "cancelled_at", "ledger", "tx_hash"}) {
    EXPECT_EQ(column(row, stream_columns(), name), std::nullopt) << name;
  }
  EXPECT_EQ(column(row, stream_columns(), "archived"), "f");
}

core::LogEntry full_entry() {
  core::LogEntry entry;
  entry.seq = 1'042;
  entry.event = core::EventName::stream_updated;
  entry.kind = "rate_upd";
  entry.stream_id = core::sample_stream().id;
  entry.event_id = "0219044594816385024-0000000003";
  entry.contract_id = core::sample_contract;
  entry.ledger = 51'000'294;
  entry.ledger_hash = core::hash_of(0x1e);
  entry.tx_hash = core::hash_of(0xa1);
  entry.closed_at = 1'774'776'687;
  entry.topics_xdr = {{1, 2, 3, 4}, {}, {5}};
  entry.value_xdr = {0, 0, 0, 1};
  entry.stream = core::sample_stream();
  entry.change = R"({"ratePerSecond":["0.0000116","0.0000232"]})";
  entry.prev_seq = 987;
  return entry;
}

TEST(EventRow, HasAColumnForEachName) {
  EXPECT_EQ(event_columns().size(), EventRow{}.size());
  EXPECT_EQ(std::set<std::string>(event_columns().begin(), event_columns().end()).size(), event_columns().size());
}

TEST(EventRow, HoldsAnEntry) {
  const EventRow row = event_row(full_entry());
  const auto at = [&](const std::string& name) { return column(row, event_columns(), name); };
  EXPECT_EQ(at("seq"), "1042");
  EXPECT_EQ(at("event"), "stream.updated");
  EXPECT_EQ(at("kind"), "rate_upd");
  EXPECT_EQ(at("stream_id"), core::sample_stream().id);
  EXPECT_EQ(at("event_id"), "0219044594816385024-0000000003");
  EXPECT_EQ(at("contract_id"), std::string(core::sample_contract));
  EXPECT_EQ(at("ledger"), "51000294");
  EXPECT_EQ(at("ledger_hash"), "\\x" + core::hex_encode(core::hash_of(0x1e)));
  EXPECT_EQ(at("tx_hash"), "\\x" + core::hex_encode(core::hash_of(0xa1)));
  EXPECT_EQ(at("closed_at"), "1774776687");
  EXPECT_EQ(at("in_successful_call"), "t");
  // An XDR array of three: lengths, bytes, padding.
  EXPECT_EQ(at("topics"),
            "\\x00000003"
            "00000004"
            "01020304"
            "00000000"
            "00000001"
            "05000000");
  EXPECT_EQ(at("value"), "\\x00000001");
  EXPECT_EQ(at("change"), full_entry().change);
  EXPECT_EQ(at("stream_state"), "\\x" + core::hex_encode(core::encode_stream(core::sample_stream())));
  EXPECT_EQ(at("prev_seq"), "987");
}

TEST(EventRow, WhatIsNotThereIsNull) {
  core::LogEntry entry = full_entry();
  entry.kind.clear();
  entry.stream_id.clear();
  entry.contract_id.clear();
  entry.topics_xdr.clear();
  entry.value_xdr.clear();
  entry.stream.reset();
  entry.prev_seq.reset();
  entry.ledger.reset();
  entry.ledger_hash.reset();
  entry.tx_hash.reset();
  entry.in_successful_call = false;
  const EventRow row = event_row(entry);
  for (const std::string name :
       {"stream_id", "contract_id", "stream_state", "prev_seq", "ledger", "ledger_hash", "tx_hash"}) {
    EXPECT_EQ(column(row, event_columns(), name), std::nullopt) << name;
  }
  EXPECT_EQ(column(row, event_columns(), "kind"), "") << "a topic that is no symbol";
  EXPECT_EQ(column(row, event_columns(), "topics"), "\\x00000000");
  EXPECT_EQ(column(row, event_columns(), "value"), "\\x");
  EXPECT_EQ(column(row, event_columns(), "in_successful_call"), "f");
}

TEST(ColumnLists, ArePrefixed) {
  EXPECT_EQ(stream_column_list("s.").rfind("s.id, s.source, ", 0), 0u);
  EXPECT_EQ(event_column_list("").rfind("seq, event, ", 0), 0u);
}

TEST(CopyLines, EscapeWhatWouldEndAFieldOrALine) {
  CopyLines lines;
  append_copy_row(lines, CopyRow<3>{"a\tb\nc\rd\\e", std::nullopt, ""});
  append_copy_row(lines, CopyRow<3>{"\\N", "\\", "\t\t"});
  EXPECT_EQ(lines.text, "a\\tb\\nc\\rd\\\\e\t\\N\t\n\\\\N\t\\\\\t\\t\\t");
}

TEST(Bytea, IsHexadecimal) {
  EXPECT_EQ(bytea({}), "\\x");
  EXPECT_EQ(bytea(core::Bytes{0, 0xff, 0x1e}), "\\x00ff1e");
}

}  // namespace
}  // namespace fluxora::store
