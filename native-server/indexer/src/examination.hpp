#pragma once

#include <map>
#include <string>
#include <vector>

#include "contract_tokens.hpp"
#include "fluxora/ports/contract_storage.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "record_builder.hpp"

namespace fluxora::indexer {

/// The ledgers in which an entry that was just written can't have expired: the contract gives its entries at least so
/// many each time it writes them.
inline constexpr std::uint32_t entry_lifetime = 518'400;

/// What one answer of contract storage makes of the log: each stream's row, its last state in the log and its entry
/// compared, observations appended, differences noted. Within one transaction, which is the caller's to commit.
class Examination {
 public:
  Examination(const ports::Checkpoint& checkpoint, const ContractTokens& tokens, ports::IngestTransaction& transaction)
      : checkpoint_(checkpoint), tokens_(tokens), transaction_(transaction) {}

  /// The record but for its checkpoint. `storage` has the entries of the requests' streams, in their order.
  ports::IngestRecord examine(const std::vector<ports::ObservationRequest>& requests,
                              const ports::StorageAnswer& storage);

 private:
  struct Subject {
    const ports::ObservationRequest& request;
    const core::Stream* state = nullptr;               ///< null: not held
    const ports::LedgerHeader* last_ledger = nullptr;  ///< null: nothing of it stands
  };

  void examine(const Subject& subject, const std::optional<ports::StorageEntry>& entry, std::uint32_t answered_at,
               RecordBuilder& builder);
  void missing(const Subject& subject, std::uint32_t answered_at, RecordBuilder& builder);
  void compare(const Subject& subject, const ports::StorageEntry& entry, RecordBuilder& builder);
  void append(const Subject& subject, std::uint32_t written_at, core::ByteView value, RecordBuilder& builder);
  /// A cliff or end that the stream is told of only now may have been passed long ago.
  void pass_times(const core::Stream* before, const core::Stream& after, const ports::LedgerHeader& ledger,
                  RecordBuilder& builder);
  void note(const Subject& subject, ports::DifferenceKind kind, const core::Stream* right);
  void wait(const Subject& subject, std::uint32_t ledger, std::uint32_t absent_at = 0);

  const ports::Checkpoint& checkpoint_;
  const ContractTokens& tokens_;
  ports::IngestTransaction& transaction_;
  std::vector<ports::ObservationRequest> waiting_;
  ports::StorageFindings findings_;
};

}  // namespace fluxora::indexer
