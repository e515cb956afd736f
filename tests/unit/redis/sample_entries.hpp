#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fluxora/core/log_entry.hpp"
#include "stream_samples.hpp"

namespace fluxora::redis::test {

/// An entry with every member set.
inline core::LogEntry full_entry(std::uint64_t seq) {
  core::LogEntry entry;
  entry.seq = seq;
  entry.event = core::EventName::stream_updated;
  entry.kind = "rate_upd";
  entry.stream = core::sample_stream();
  entry.stream_id = entry.stream->id;
  entry.event_id = "0219044594816385024-" + std::to_string(seq);
  entry.contract_id = core::sample_contract;
  entry.ledger = 51'000'294;
  entry.ledger_hash = core::hash_of(0x1e);
  entry.tx_hash = core::hash_of(0xa1);
  entry.closed_at = 1'774'776'687;
  entry.in_successful_call = false;
  entry.topics_xdr = {{0, 0, 0, 15}, {}, {1, 2, 3}};
  entry.value_xdr = {0, 0, 0, 1, 255};
  entry.change = R"({"ratePerSecond":["0.0000116","0.0000232"]})";
  entry.prev_seq = 987;
  entry.retracts = 900;
  return entry;
}

/// Entries first..last, with no more than their seq.
inline std::vector<core::LogEntry> entries(std::uint64_t first, std::uint64_t last) {
  std::vector<core::LogEntry> list;
  for (std::uint64_t seq = first; seq <= last; ++seq) list.emplace_back().seq = seq;
  return list;
}

inline std::vector<std::uint64_t> seqs(const std::vector<core::LogEntry>& list) {
  std::vector<std::uint64_t> numbers;
  for (const core::LogEntry& entry : list) numbers.push_back(entry.seq);
  return numbers;
}

}  // namespace fluxora::redis::test
