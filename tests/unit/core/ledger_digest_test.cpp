#include "fluxora/core/ledger_digest.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/core/sha256.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

LogEntry chain_entry(std::string event_id) {
  LogEntry entry;
  entry.event = EventName::stream_updated;
  entry.event_id = std::move(event_id);
  entry.contract_id = "C1";
  entry.topics_xdr = {{1, 2, 3}, {4}};
  entry.value_xdr = {5, 6, 7, 8};
  return entry;
}

std::string digest(const std::vector<const LogEntry*>& entries) {
  return hex_encode(ledger_digest(hash_of(0), 7, hash_of(0xaa), entries));
}

TEST(LedgerDigest, IsTheHashOfTheDocumentedBytes) {
  Bytes bytes(32, 0);                       // the digest before it
  bytes.insert(bytes.end(), {0, 0, 0, 7});  // the ledger
  bytes.insert(bytes.end(), 32, 0xaa);      // its hash
  bytes.insert(bytes.end(), {0, 0, 0, 2, 'e', '1', 0, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 2, 'C', '1', 0, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 2});  // topics
  bytes.insert(bytes.end(), {0, 0, 0, 3, 1, 2, 3, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 1, 4, 0, 0, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 4, 5, 6, 7, 8});  // the value
  const LogEntry entry = chain_entry("e1");
  EXPECT_EQ(digest({&entry}), hex_encode(sha256(bytes)));
}

TEST(LedgerDigest, DependsOnEverythingThatTheChainSaid) {
  const LogEntry first = chain_entry("e1");
  const LogEntry second = chain_entry("e2");
  const std::string base = digest({&first, &second});
  EXPECT_NE(digest({&second, &first}), base);
  EXPECT_NE(digest({&first}), base);
  LogEntry other = second;
  other.value_xdr.back() ^= 1;
  EXPECT_NE(digest({&first, &other}), base);
  EXPECT_NE(hex_encode(ledger_digest(hash_of(1), 7, hash_of(0xaa), {&first, &second})), base);
  EXPECT_NE(hex_encode(ledger_digest(hash_of(0), 8, hash_of(0xaa), {&first, &second})), base);
  EXPECT_NE(hex_encode(ledger_digest(hash_of(0), 7, hash_of(0xab), {&first, &second})), base);
}

TEST(LedgerDigest, LeavesOutWhatIsNotTheChains) {
  const LogEntry first = chain_entry("e1");
  const LogEntry child = chain_entry("e1");  // the second entry of a delegation
  LogEntry api = chain_entry("api-5");
  api.contract_id.clear();
  std::vector<LogEntry> own(4, chain_entry("own"));
  own[0].event = EventName::stream_observed;
  own[1].event = EventName::stream_ended;
  own[2].event = EventName::stream_cliff_reached;
  own[3].event = EventName::stream_retracted;
  EXPECT_EQ(digest({&first, &child, &api, &own[0], &own[1], &own[2], &own[3]}), digest({&first}));
}

TEST(LedgerDigest, DependsOnNoLogPosition) {
  const LogEntry first = chain_entry("e1");
  LogEntry elsewhere = first;
  elsewhere.seq = 99;
  elsewhere.prev_seq = 98;
  EXPECT_EQ(digest({&elsewhere}), digest({&first}));
}

}  // namespace
}  // namespace fluxora::core
