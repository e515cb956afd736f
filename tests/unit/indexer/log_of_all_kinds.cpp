#include "log_of_all_kinds.hpp"

#include <optional>

#include "chain_events.hpp"
#include "fluxora/core/api_entry.hpp"
#include "fluxora/core/log_fold.hpp"
#include "fluxora/core/observation.hpp"
#include "fluxora/indexer/ingest.hpp"
#include "fluxora/indexer/rollback.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {

std::string api_id(int number) {
  return "api-01890000-0000-7000-8000-00000000000" + std::to_string(number);
}

core::EventPayload api_creation() {
  core::StreamCreated created;
  created.sender = core::sample_sender;
  created.recipient = core::sample_recipient;
  created.deposit = core::tokens(1'000);
  created.rate_per_second = core::tokens(1);
  created.start_time = 500;
  created.cliff_time = 600;
  created.end_time = 1'015;
  return created;
}

void LogMaker::ledger(std::vector<ports::ChainEvent> events) {
  const std::uint32_t number = next_ledger_++;
  LedgerBatch batch;
  batch.first = batch.last = number;
  batch.headers = {header(number, fork_)};
  if (store.checkpoint) batch.closed_before = store.checkpoint->closed_at;
  std::uint32_t index = 0;
  for (ports::ChainEvent& event : events) {
    batch.events.push_back(placed(std::move(event), number, index++, closed_at(number)));
  }
  const auto transaction = store.begin(store.checkpoint);
  ingest(batch, folds_chain_, *transaction);
}

void LogMaker::fork(std::uint32_t ledgers) {
  next_ledger_ -= ledgers;
  std::optional<ports::Checkpoint> to;
  const auto held = store.ledgers.find(next_ledger_ - 1);
  if (held != store.ledgers.end()) {
    const ports::LedgerHeader& last = held->second.header;
    to = ports::Checkpoint{last.sequence, last.hash, last.closed_at};
  }
  const auto transaction = store.begin(store.checkpoint);
  roll_back(to, *transaction);
  ++fork_;
}

void LogMaker::append_own(core::LogEntry entry) {
  entry.seq = store.entries.back().seq + 1;
  entry.prev_seq = store.last_seq(entry.stream_id);
  core::LogFold fold;
  for (const auto& [id, stream] : store.streams) fold.put(stream);
  fold.fold(entry);
  if (entry.stream) store.streams[entry.stream_id] = *entry.stream;
  store.entries.push_back(std::move(entry));
}

void LogMaker::observe(std::uint64_t stream, core::StreamKind kind) {
  core::LogEntry entry;
  entry.event = core::EventName::stream_observed;
  entry.kind = "observed";
  entry.stream_id = stream_id(stream);
  entry.event_id = "observed-" + std::to_string(store.checkpoint->ledger);
  entry.contract_id = core::sample_contract;
  entry.ledger = store.checkpoint->ledger;
  entry.ledger_hash = store.checkpoint->hash;
  entry.closed_at = store.checkpoint->closed_at;
  entry.topics_xdr = *core::encode_observation_topics(stream, std::string(core::sample_token));
  entry.value_xdr = map_xdr({{"cliff_time", u64_xdr(1'000)},
                             {"deposit_amount", i128_xdr(core::tokens(1'000))},
                             {"end_time", u64_xdr(2'000)},
                             {"kind", u32_xdr(static_cast<std::uint32_t>(kind))},
                             {"rate_per_second", i128_xdr(core::tokens(1))},
                             {"recipient", address_xdr(core::sample_recipient)},
                             {"sender", address_xdr(core::sample_sender)},
                             {"start_time", u64_xdr(1'000)},
                             {"status", u32_xdr(0)},
                             {"stream_id", u64_xdr(stream)},
                             {"withdrawn_amount", i128_xdr(core::tokens(7))}});
  append_own(std::move(entry));
}

void LogMaker::api(const std::string& id, const core::EventPayload& payload) {
  const auto held = store.streams.find(id);
  const std::uint64_t seq = store.entries.empty() ? 1 : store.entries.back().seq + 1;
  auto entry = core::make_api_entry(held != store.streams.end() ? &held->second : nullptr, id, payload, 900, seq);
  entry->prev_seq = store.last_seq(id);
  store.streams[id] = *entry->stream;
  store.entries.push_back(std::move(*entry));
}

void LogMaker::make_all_kinds() {
  api(api_id(1), api_creation());
  ledger({created(1), created(2), event_of({u64_xdr(1)}, void_xdr())});
  ledger({withdrew(1, 3), failed(withdrew(1, 9)), event_of({symbol_xdr("news")}, u64_xdr(1)), withdrew(9, 1)});
  observe(2, core::StreamKind::cliff_slope);
  api(api_id(1), core::StreamPaused{});
  ledger({delegated(1, 3), event_of("paused", 2, void_xdr())});
  fork(1);  // takes the delegation and the pause back
  ledger({event_of("paused", 1, void_xdr())});
  ledger({delegated(1, 3), created(4), withdrew(4, 1)});
  api(api_id(2), api_creation());
  ledger({withdrew(3, 1)});  // closes behind the end of the API's streams
  observe(4, core::StreamKind::linear);
  ledger({});
  fork(4);  // and those are made again
  ledger({delegated(1, 3), withdrew(4, 1)});
  api(api_id(1), core::StreamCancelled{});
  fork(2);
  ledger({withdrew(2, 5), event_of("gl_pause", 1, broken_xdr())});
  ledger({delegated(1, 3), created(4), event_of("completed", 2, void_xdr())});
  ledger({withdrew(3, 2)});
  observe(3, core::StreamKind::cliff_only);
  next_ledger_ = 301;
  ledger({});  // closes behind the end of all
}

}  // namespace fluxora::indexer::test
