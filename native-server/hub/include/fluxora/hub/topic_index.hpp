#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fluxora/hub/topic.hpp"

namespace fluxora::hub {

class FeedSession;
struct TopicNode;

/// One topic of one session. It has been given every matching entry of (begin, position]; of a live one the session
/// says how far it is, where that is further.
struct Subscription {
  TopicNode* node = nullptr;
  std::uint64_t begin = 0;
  std::uint64_t position = 0;
  std::uint64_t ticket = 0;  ///< tells it from earlier subscriptions to the same topic
  std::uint32_t place = 0;   ///< among its node's followers, while it is live
  bool live = false;
};

/// Who follows a topic live.
struct Follower {
  FeedSession* session = nullptr;
  Subscription* subscription = nullptr;
};

/// A topic that somebody asks for.
struct TopicNode {
  const Topic* topic = nullptr;
  std::vector<Follower> followers;
  std::size_t users = 0;  ///< subscriptions, live or not
};

/// Finds who asks for an entry, by the entry's few keys.
class TopicIndex {
 public:
  TopicIndex() = default;
  TopicIndex(const TopicIndex&) = delete;
  TopicIndex& operator=(const TopicIndex&) = delete;

  /// The topic's node, one user more.
  [[nodiscard]] TopicNode& take(const Topic& topic);
  /// One user less; without any the node goes.
  void give_back(TopicNode& node);
  /// None: nobody asks for it.
  [[nodiscard]] TopicNode* find(TopicView topic);

  static void follow(FeedSession& session, Subscription& subscription);
  static void unfollow(Subscription& subscription);

  /// The nodes that the entry belongs to, each once. Nodes may be taken and given back meanwhile.
  template <class Visit>
  void for_each(const EntryKeys& entry, Visit visit) {
    const Visiting visiting(*this);
    for (const bool of_event : {false, true}) {
      look(Topic::Kind::all, {}, entry, of_event, visit);
      look(Topic::Kind::stream, entry.stream_id, entry, of_event, visit);
      look(Topic::Kind::recipient, entry.parties.recipient, entry, of_event, visit);
      look(Topic::Kind::recipient, entry.parties.former_recipient, entry, of_event, visit);
      look(Topic::Kind::sender, entry.parties.sender, entry, of_event, visit);
      look(Topic::Kind::sender, entry.parties.former_sender, entry, of_event, visit);
    }
  }

  /// Everybody who follows anything live, each once.
  [[nodiscard]] std::vector<FeedSession*> followers() const;

 private:
  using Nodes = std::unordered_map<Topic, TopicNode, TopicHash, TopicEqual>;

  /// While nodes are visited none is dropped.
  class Visiting {
   public:
    explicit Visiting(TopicIndex& index) : index_(index), outermost_(!std::exchange(index.visiting_, true)) {}
    ~Visiting() {
      if (!outermost_) return;
      index_.visiting_ = false;
      index_.drop_unused();
    }
    Visiting(const Visiting&) = delete;
    Visiting& operator=(const Visiting&) = delete;

   private:
    TopicIndex& index_;
    const bool outermost_;
  };

  template <class Visit>
  void look(Topic::Kind kind, std::string_view value, const EntryKeys& entry, bool of_event, Visit& visit) {
    if (value.empty() != (kind == Topic::Kind::all) || count(kind, of_event) == 0) return;
    const auto event = of_event ? std::optional(entry.event) : std::nullopt;
    if (TopicNode* node = find({kind, value, event})) visit(*node);
  }
  [[nodiscard]] std::size_t& count(Topic::Kind kind, bool of_event) {
    return counts_[static_cast<std::size_t>(kind) * 2 + (of_event ? 1 : 0)];
  }
  void drop_unused();
  void drop(TopicNode& node);

  Nodes nodes_;
  std::array<std::size_t, 8> counts_{};  // nodes of a kind, without and with an event
  std::vector<TopicNode*> unused_;       // given back while the index was walked
  bool visiting_ = false;
};

}  // namespace fluxora::hub
