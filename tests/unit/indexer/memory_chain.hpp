#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fluxora/ports/chain_source.hpp"

namespace fluxora::indexer::test {

/// Hash of a ledger of a chain: another fork's ledgers have other hashes.
[[nodiscard]] core::Hash ledger_hash(std::uint32_t ledger, std::uint8_t fork = 0);
/// Ledgers close every five seconds; ledger 100 at second 1,000.
[[nodiscard]] core::UnixSeconds closed_at(std::uint32_t ledger);
[[nodiscard]] ports::LedgerHeader header(std::uint32_t ledger, std::uint8_t fork = 0);

/// A chain in memory of linked ledgers.
class MemoryChain final : public ports::ChainSource {
 public:
  /// Adds an event at the end of a ledger.
  void put(std::uint32_t ledger, ports::ChainEvent event);
  /// The next call that asks the chain throws this; called again, the one after it.
  void fail_next(ports::ChainError::Kind kind, const std::string& message = "trouble");
  /// So many calls succeed, the one after them throws.
  void fail_after(int succeeding, ports::ChainError::Kind kind);

  std::string network_passphrase() override;
  ports::LedgerWindow window() override;
  ports::EventBatch events(std::uint32_t first, std::uint32_t last) override;
  std::vector<ports::LedgerHeader> ledgers(std::uint32_t first, std::uint32_t last) override;
  ports::StorageAnswer contract_data(const std::vector<core::Bytes>& keys) override;
  void cancel() noexcept override { cancelled_ = true; }

  // What the test sets.
  std::string passphrase = "Test network";
  ports::LedgerWindow held{1, 100};
  std::optional<std::uint32_t> complete_through;  ///< answers end there
  std::optional<std::uint32_t> forked_from;       ///< headers from here on are of another fork, linked among themselves
  std::optional<std::uint32_t> forks_while_read;  ///< becomes forked_from once events were asked for
  std::optional<std::uint32_t> broken_link_at;    ///< that ledger names another previous one
  core::UnixSeconds header_time_shift = 0;        ///< headers close later than events say

  std::map<core::Bytes, ports::StorageEntry> storage;  ///< as it is now, by LedgerKey
  std::function<void()> at_contract_data;              ///< called before storage is looked at

  // What was asked: first and last.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> event_calls;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ledger_calls;
  int passphrase_calls = 0;
  std::vector<std::size_t> storage_calls;  ///< number of keys

 private:
  void maybe_fail();

  std::vector<ports::ChainEvent> events_;
  std::deque<std::optional<ports::ChainError>> failures_;  ///< of the next calls; none: it succeeds
  bool cancelled_ = false;
};

}  // namespace fluxora::indexer::test
