#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/ports/contract_storage.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {

/// What the contract stores of a stream; unless told otherwise, what created() says.
struct Stored {
  core::Amount deposit = core::tokens(1'000);
  core::Amount rate = core::tokens(1);
  core::Amount withdrawn{};
  core::UnixSeconds start = 1'000;
  core::UnixSeconds cliff = 1'000;
  core::UnixSeconds end = 2'000;
  core::StreamStatus status = core::StreamStatus::active;
  core::StreamKind kind = core::StreamKind::linear;
  core::Amount checkpoint_amount{};
  core::UnixSeconds checkpoint_at = 1'000;
};

/// Contract storage as a chain has it now, by LedgerKey.
using Storage = std::map<core::Bytes, ports::StorageEntry>;

// Each puts one entry there, in place of what was there.
void store_stream(Storage& storage, std::uint64_t number, std::uint32_t last_modified, const Stored& stored = {});
/// Under the stream's key lies what is no stream.
void store_nonsense(Storage& storage, std::uint64_t number, std::uint32_t last_modified);
/// The contract's instance names sample_token as its token.
void store_contract(Storage& storage, std::string_view contract = core::sample_contract);
/// sample_token's instance tells its decimals.
void store_token(Storage& storage, std::uint32_t decimals);
void remove_stream(Storage& storage, std::uint64_t number);

}  // namespace fluxora::indexer::test
