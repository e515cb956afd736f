#include "fluxora/core/webhook_body.hpp"

#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/core/xdr.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

/// ScVal bytes of so many zeros.
Bytes bytes_xdr(std::size_t size) {
  Bytes bytes;
  XdrWriter xdr(bytes);
  xdr.write_u32(13);
  xdr.write_variable(Bytes(size));
  return bytes;
}

/// An event of an unknown topic: it shows its raw XDR.
LogEntry unknown_event(std::size_t value_size) {
  LogEntry entry;
  entry.seq = 12;
  entry.event_id = "0219044594816385024-0000000003";
  entry.contract_id = sample_contract;
  entry.closed_at = 1'774'776'687;
  entry.value_xdr = bytes_xdr(value_size);
  return entry;
}

std::string json_of(const LogEntry& entry) {
  std::string text;
  JsonWriter json(text);
  write_log_entry_json(json, entry, "k3f9");
  return text;
}

TEST(WebhookBody, IsTheEntryWithItsNameAndCloseTime) {
  LogEntry entry = unknown_event(8);
  entry.event = EventName::stream_updated;
  entry.stream = sample_stream();
  EXPECT_EQ(webhook_body(entry, "k3f9"),
            R"({"type":"stream.updated","timestamp":"2026-03-29T09:31:27Z","data":)" + json_of(entry) + "}");
}

TEST(WebhookBody, OfAnEntryThatIsTooLargeLeavesOutWhatTheChainSaid) {
  // Two hexadecimal digits a byte: the largest value that still fits, and the next one.
  const std::size_t rest = webhook_body(unknown_event(0), "k3f9").size();
  const std::size_t fits = (webhook_body_max - rest) / 2;
  const std::string whole = webhook_body(unknown_event(fits), "k3f9");
  EXPECT_LE(whole.size(), webhook_body_max);
  EXPECT_NE(whole.find(R"("raw":{)"), std::string::npos);
  EXPECT_EQ(whole.find("rawOmitted"), std::string::npos);

  LogEntry without = unknown_event(0);
  without.value_xdr.clear();
  std::string data = json_of(without);
  data.insert(data.size() - 1, R"(,"rawOmitted":true)");
  EXPECT_EQ(webhook_body(unknown_event(fits + 1), "k3f9"),
            R"({"type":"chain.event","timestamp":"2026-03-29T09:31:27Z","data":)" + data + "}");
}

TEST(WebhookBody, OfATest) {
  EXPECT_EQ(webhook_test_body("12", 1'774'776'687'042),
            R"({"type":"webhook.test","timestamp":"2026-03-29T09:31:27.042Z","data":{"endpointId":"12"}})");
}

}  // namespace
}  // namespace fluxora::core
