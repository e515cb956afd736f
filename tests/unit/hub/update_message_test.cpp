#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/hub/published_entry.hpp"
#include "stream_samples.hpp"

namespace fluxora::hub::test {
namespace {

core::LogEntry rate_change() {
  core::LogEntry entry;
  entry.seq = 1042;
  entry.event = core::EventName::stream_updated;
  entry.kind = "rate_upd";
  entry.stream_id = core::chain_stream_id(core::sample_contract, 7);
  entry.event_id = "0219044594816385024-0000000003";
  entry.contract_id = core::sample_contract;
  entry.ledger = 51'000'294;
  entry.closed_at = 1'774'776'687;
  entry.stream = core::sample_stream();
  entry.prev_seq = 987;
  return entry;
}

std::string entry_text(const core::LogEntry& entry) {
  std::string text;
  core::JsonWriter json(text);
  core::write_log_entry_json(json, entry, "k3f9");
  return text;
}

TEST(UpdateMessage, IsTheSpecs) {
  const core::LogEntry entry = rate_change();
  EXPECT_EQ(*encode_update(entry, "k3f9"), R"({"type":"stream_update","event":"stream.updated",)"
                                           R"("streamId":"CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-7",)"
                                           R"("eventId":"0219044594816385024-0000000003","cursor":"k3f9-1042",)"
                                           R"("timestamp":"2026-03-29T09:31:27Z","payload":)" +
                                               entry_text(entry) + "}");
}

TEST(UpdateMessage, OfNoStreamHasANullId) {
  core::LogEntry entry = rate_change();
  entry.event = core::EventName::protocol_event;
  entry.stream_id.clear();
  entry.stream.reset();
  EXPECT_EQ(*encode_update(entry, "k3f9"), R"({"type":"stream_update","event":"protocol.event","streamId":null,)"
                                           R"("eventId":"0219044594816385024-0000000003","cursor":"k3f9-1042",)"
                                           R"("timestamp":"2026-03-29T09:31:27Z","payload":)" +
                                               entry_text(entry) + "}");
}

TEST(UpdateMessage, OfServerSentEventsIsAWholeEvent) {
  const core::LogEntry entry = rate_change();
  EXPECT_EQ(*encode_update(entry, "k3f9", FeedFormat::sse),
            "id: k3f9-1042\nevent: stream.updated\ndata: " + entry_text(entry) + "\n\n");
}

TEST(UpdateMessage, IsMadeOnceForEachFormat) {
  const PublishedEntry published(rate_change(), "k3f9");
  for (const FeedFormat format : {FeedFormat::websocket, FeedFormat::sse}) {
    EXPECT_EQ(*published.frame(format), *encode_update(rate_change(), "k3f9", format));
    EXPECT_EQ(published.frame(format), published.frame(format));
  }
}

}  // namespace
}  // namespace fluxora::hub::test
