#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/cursor.hpp"

namespace fluxora::core {

/// What a feed's client does with what arrives: what to apply, what to drop, where a hole is and what to ask for.
/// No socket, no clock: the same logic under WebSocket, SSE and REST replay, in C++ and in the browser. SPEC section 4.
///
/// The promise: entries that are applied are each applied once and, per stream, in the log's order without a hole, or
/// the client is told to fetch its state again. Nothing is kept of an entry that waits behind a hole: it is part of
/// what is asked for, and comes again.
///
/// A client asks in one of two ways. It reads the entries (after_seq, to_seq] by REST, hands each in to `entry`, and
/// says `replayed`. Or it subscribes again from `cursor()`, which stands before every open hole.
class FeedClient {
 public:
  /// What the feed was asked for, which decides how a hole shows.
  enum class Scope : std::uint8_t {
    whole_log,  ///< every entry: seq has no hole
    stream,     ///< one stream: its prevSeq chain has no hole
    /// The streams of a sender or recipient, each with its own chain. Streams come into view at any entry, so a stream
    /// begins with the first of its entries that comes, and is checked from there on.
    party,
  };

  /// Streams of a party whose chains are followed; of more, the one that was quiet for longest begins anew.
  static constexpr std::size_t max_streams = 10'000;
  /// Streams of a party with a hole at one time; more of them: refetch.
  static constexpr std::size_t max_open_holes = 100;
  /// Asks in a row for one hole that bring none of its entries; after them: refetch.
  static constexpr std::uint32_t max_asks = 3;

  /// `from`: the position that the client's state is at; none: it begins live, at what `opened` says.
  explicit FeedClient(Scope scope, const std::optional<Cursor>& from = std::nullopt);
  FeedClient(FeedClient&&) = default;
  FeedClient& operator=(FeedClient&&) = default;
  FeedClient(const FeedClient&) = delete;
  FeedClient& operator=(const FeedClient&) = delete;
  ~FeedClient() = default;

  /// The position to show when (re)connecting; none: from now on. Everything up to it has been applied or is in the
  /// state that was fetched. A hole that is noticed late takes it back to before the hole.
  [[nodiscard]] const std::optional<Cursor>& cursor() const noexcept { return cursor_; }

  /// The feed's answer to a subscription: how it goes on, and from where. False: it can't go on from our position (gap,
  /// epoch_changed, or live although we are further back): fetch the state again, say `refetched`, and subscribe from
  /// there.
  [[nodiscard]] bool opened(Resume outcome, const Cursor& position);

  enum class Action : std::uint8_t {
    apply,
    drop,     ///< seen before; or waits behind a hole that is asked for, or will be when `replayed` is said
    ask,      ///< a hole: ask for its entries. This one isn't applied now and is the last of them
    refetch,  ///< another epoch, or a hole that asking didn't fill. It stays so until `refetched`
  };
  struct Step {
    Action action = Action::drop;
    // For ask: the entries (after_seq, to_seq], of the feed's own filter or, where it is named, of this one stream.
    std::uint64_t after_seq = 0;
    std::uint64_t to_seq = 0;
    std::string stream_id;  ///< party only

    friend bool operator==(const Step&, const Step&) = default;
  };

  /// An entry arrives, from the feed or a replay. `prev_seq`: its stream's previous entry, none for its first.
  [[nodiscard]] Step entry(const Cursor& at, std::string_view stream_id, std::optional<std::uint64_t> prev_seq);

  /// What was asked for has been handed in, as far as there was any; `outcome` is the server's resume outcome of the
  /// replay. Gives what to ask for next (ask), that nothing is missing (drop), or refetch. A request that failed was no
  /// answer: make it again, or subscribe again.
  [[nodiscard]] Step replayed(Resume outcome);

  /// The state was fetched and holds everything up to `at`.
  void refetched(const Cursor& at);

 private:
  /// A row of entries of which each names the one before: a stream's or, with each seq after the other, the log's.
  struct Chain {
    std::string stream_id;  ///< empty for the only one
    std::uint64_t held = 0;
    bool begun = false;         ///< `held` is one of its entries, not just where the client's state is at
    std::uint64_t hole_to = 0;  ///< the last entry seen behind a hole; 0: no hole
    std::uint32_t asks = 0;     ///< since `held` changed
  };
  using Chains = std::list<Chain>;
  using Places = std::vector<Chains::iterator>;

  /// The chain of that name, or where it would be.
  Places::iterator place_of(std::string_view stream_id);
  void begin_at(const Cursor& at);
  void add_chain(std::string_view stream_id, std::uint64_t held, bool begun);
  Step apply(Chains::iterator chain, std::uint64_t seq);
  Step wait(Chains::iterator chain, std::uint64_t seq);
  Step ask(Chain& chain);
  Step lose();
  void note(std::uint64_t seq);

  Scope scope_;
  std::optional<Cursor> cursor_;
  bool lost_ = false;         // what we hold can't be continued
  bool asking_ = false;       // one hole at a time
  std::uint64_t floor_ = 0;   // entries up to here of streams without a chain have been applied or are in the state
  std::uint64_t newest_ = 0;  // the highest seq that came
  Chains whole_;              // the last one continued is first
  Chains open_;               // those with a hole, in the order they were noticed
  Places places_;             // both lists', ascending by stream_id: a tree is a lot of code for a WebAssembly module
};

}  // namespace fluxora::core
