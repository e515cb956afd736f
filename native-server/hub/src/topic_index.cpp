#include "fluxora/hub/topic_index.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::hub {

TopicNode& TopicIndex::take(const Topic& topic) {
  const auto [place, is_new] = nodes_.try_emplace(topic);
  TopicNode& node = place->second;
  if (is_new) {
    node.topic = &place->first;
    ++count(topic.kind, topic.event.has_value());
  }
  ++node.users;
  return node;
}

void TopicIndex::give_back(TopicNode& node) {
  if (--node.users > 0) return;
  if (visiting_) {
    unused_.push_back(&node);
  } else {
    drop(node);
  }
}

void TopicIndex::drop(TopicNode& node) {
  --count(node.topic->kind, node.topic->event.has_value());
  nodes_.erase(nodes_.find(*node.topic));
}

void TopicIndex::drop_unused() {
  if (unused_.empty()) return;
  std::sort(unused_.begin(), unused_.end());
  unused_.erase(std::unique(unused_.begin(), unused_.end()), unused_.end());
  for (TopicNode* node : unused_) {
    // Somebody else may have taken it meanwhile.
    if (node->users == 0) drop(*node);
  }
  unused_.clear();
}

TopicNode* TopicIndex::find(TopicView topic) {
  const auto found = nodes_.find(topic);
  return found == nodes_.end() ? nullptr : &found->second;
}

void TopicIndex::follow(FeedSession& session, Subscription& subscription) {
  std::vector<Follower>& followers = subscription.node->followers;
  subscription.place = static_cast<std::uint32_t>(followers.size());
  subscription.live = true;
  followers.push_back({&session, &subscription});
}

void TopicIndex::unfollow(Subscription& subscription) {
  std::vector<Follower>& followers = subscription.node->followers;
  Follower& place = followers[subscription.place];
  place = followers.back();
  place.subscription->place = subscription.place;
  followers.pop_back();
  subscription.live = false;
}

std::vector<FeedSession*> TopicIndex::followers() const {
  std::vector<FeedSession*> sessions;
  for (const auto& [topic, node] : nodes_) {
    for (const Follower& follower : node.followers) sessions.push_back(follower.session);
  }
  std::sort(sessions.begin(), sessions.end());
  sessions.erase(std::unique(sessions.begin(), sessions.end()), sessions.end());
  return sessions;
}

}  // namespace fluxora::hub
