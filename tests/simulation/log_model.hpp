#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "chain.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "memory_ledger_store.hpp"

namespace fluxora::simulation {

/// What the log is and what it should be aren't the same. No std::exception, so that nothing but the simulation
/// catches it.
struct Difference {
  std::string what;
};

/// What the log has to be, and a reader of it: follows every commit by seq, as a consumer of a feed does, and compares
/// after each with the chain that the checkpoint names. It knows the chain's tree and shares no code with the indexer.
///
/// The standing entries of ledgers are a stack to it: ingesting pushes, a rollback takes the newest of the ledgers
/// above its floor. The chain's on it have to be the events of the checkpoint's chain from the first ledger on, each
/// once and in order; entries of time and observations are of ledgers of that chain.
class LogModel {
 public:
  /// `fold` false: CONTRACT_IDS is "*", which logs everything and folds nothing.
  /// `events_say_all` false: streams are of kinds that only the contract's storage tells, so that the log may differ
  /// from the contract until that was looked at.
  LogModel(const Chain& chain, bool fold, bool events_say_all, std::uint32_t safety_margin)
      : chain_(chain),
        fold_(fold),
        events_say_all_(events_say_all),
        may_miss_(chain.misses > 0),
        safety_margin_(safety_margin) {}

  /// A change through the API was appended.
  void written(const core::LogEntry& entry);
  /// The indexer has committed. `tips`: where its RPC's chain has ended since the round began; `highest_shown`: the
  /// highest ledger that it has told of. Throws Difference.
  void committed(const ports::IngestRecord& record, const indexer::test::MemoryLedgerStore& store,
                 const std::vector<const Ledger*>& tips, std::uint32_t highest_shown);

  /// Nothing is left to be done: what the log says of streams is what the contract says, their token too, and the audit
  /// found nothing but what observations have mended. Throws Difference.
  void settled(const indexer::test::MemoryLedgerStore& store) const;

  /// An event that had been missed is no longer.
  void delivered() { digests_.clear(); }

  /// Whether nothing that the checkpoint's chain has is missed.
  [[nodiscard]] bool is_complete() const;

  [[nodiscard]] const Ledger* checkpoint() const { return checkpoint_; }
  [[nodiscard]] std::uint64_t head_seq() const { return head_; }
  [[nodiscard]] const std::map<std::string, core::Stream>& streams() const { return streams_; }

 private:
  enum class Origin : std::uint8_t { chain, time, observation };

  /// An entry of a ledger that stands.
  struct Standing {
    std::uint64_t seq = 0;
    const Ledger* ledger = nullptr;
    Origin origin = Origin::chain;
    core::EventName event = core::EventName::chain_event;
    std::string event_id;
    std::string stream_id;
    bool folded = false;
  };
  /// An entry that stands and changed its stream, or was a passing of time.
  struct Mark {
    std::uint64_t seq = 0;
    const Ledger* ledger = nullptr;  ///< null: of the API
    bool of_time = false;
    std::string event_id;
    core::Stream after;
  };
  struct StreamHistory {
    std::optional<std::uint64_t> last_seq;
    std::vector<Mark> marks;
    // Times that had passed when the stream came to have them: an entry may stand for them, and needn't.
    std::optional<core::UnixSeconds> cliff_excused;
    std::optional<core::UnixSeconds> end_excused;
  };

  void apply(const core::LogEntry& entry, const indexer::test::MemoryLedgerStore* store);
  void retract(const core::LogEntry& entry);
  void push(const core::LogEntry& entry, const indexer::test::MemoryLedgerStore& store);
  void take_state(const core::LogEntry& entry, const Ledger* ledger, bool of_time);
  void check_time_entry(const core::LogEntry& entry, const Ledger* ledger,
                        const indexer::test::MemoryLedgerStore& store);
  void check_nothing_missed(const StreamHistory& history, const core::Stream& stream, const Ledger* ledger,
                            bool behind_events);
  void excuse_passed(const core::Stream& stream, core::UnixSeconds closed_at);

  void forget(std::uint32_t floor, const std::vector<const Ledger*>& tips);
  void hold(const ports::IngestRecord& record);
  void check_checkpoint(const ports::IngestRecord& record, std::uint32_t highest_shown);
  void check_ledgers(const indexer::test::MemoryLedgerStore& store);
  void check_stack();
  void check_streams(const indexer::test::MemoryLedgerStore& store);
  void check_contract() const;
  void check_tokens() const;
  void check_marks(const core::Stream& stream);
  /// Followed happenings of a ledger that aren't missed.
  [[nodiscard]] std::vector<const Happening*> happenings(const Ledger* ledger) const;
  [[nodiscard]] core::Hash digest(const Ledger* ledger);
  /// From the first ledger to the checkpoint.
  [[nodiscard]] std::vector<const Ledger*> path() const;

  const Chain& chain_;
  const bool fold_;
  const bool events_say_all_;
  const bool may_miss_;
  const std::uint32_t safety_margin_;
  std::uint64_t head_ = 0;
  std::uint32_t floor_ = 0;  ///< of the rollback that is being followed
  const Ledger* checkpoint_ = nullptr;
  std::uint32_t first_ = 0;  ///< the first ledger that is followed, once there is a checkpoint
  std::vector<Standing> stack_;
  std::map<std::string, core::Stream> streams_;
  std::unordered_map<std::string, StreamHistory> histories_;
  std::map<std::uint32_t, const Ledger*> held_;
  std::unordered_map<const Ledger*, core::Hash> digests_;
};

}  // namespace fluxora::simulation
