#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "session_bench.hpp"

namespace fluxora::hub::test {
namespace {

/// A text that is equal for equal topics.
std::string topic_key(const Topic& topic) {
  return std::to_string(static_cast<int>(topic.kind)) + topic.value;
}

/// What a client may expect, told apart from how the session does it: each subscription has been given a set of
/// entries, those sent since it began and what the subscriptions beside it had been given then. An entry may be sent
/// only when some subscription wants it and hasn't got it; at the end every subscription has all that it wants.
class Model {
 public:
  /// `subscriptions_end`: one that begins after another ended may bring again what that one brought.
  Model(const MemoryEventLog& log, bool subscriptions_end) : log_(log), subscriptions_end_(subscriptions_end) {}

  void begin(const Topic& topic, std::uint64_t after) {
    const std::string key = topic_key(topic);
    if (expectations_.contains(key)) return;
    Expectation added{topic, after, {}, {}, 0};
    for (const auto& [unused, other] : expectations_) {
      for (const std::uint64_t seq : other.given) {
        if (added.wants(log_.entry(seq))) added.given.insert(seq);
      }
    }
    expectations_.emplace(key, std::move(added));
  }

  void end(const Topic& topic) { expectations_.erase(topic_key(topic)); }

  void sent(std::uint64_t seq) {
    std::vector<Expectation*> takers;
    for (auto& [unused, expectation] : expectations_) {
      if (!expectation.wants(log_.entry(seq))) continue;
      const bool is_new = expectation.given.insert(seq).second;
      const bool is_unseen = expectation.seen.insert(seq).second;
      if (subscriptions_end_ ? is_unseen : is_new) takers.push_back(&expectation);
    }
    if (takers.empty()) trouble += " sent unasked or twice: " + std::to_string(seq);
    // Where subscriptions overlap, an entry comes by whichever is there first; alone, each keeps its order.
    if (takers.size() != 1) return;
    if (seq <= takers[0]->last) trouble += " out of order: " + std::to_string(seq);
    takers[0]->last = seq;
  }

  void check_complete() {
    for (const auto& [key, expectation] : expectations_) {
      for (std::uint64_t seq = expectation.after + 1; seq <= log_.extent.head_seq; ++seq) {
        if (expectation.wants(log_.entry(seq)) && !expectation.given.contains(seq)) {
          trouble += " never came to " + key + ": " + std::to_string(seq);
        }
      }
    }
  }

  [[nodiscard]] bool has(const Topic& topic) const { return expectations_.contains(topic_key(topic)); }

  std::string trouble;

 private:
  struct Expectation {
    Topic topic;
    std::uint64_t after;
    std::set<std::uint64_t> given;
    std::set<std::uint64_t> seen;  ///< the part of `given` that was sent since it began
    std::uint64_t last;

    [[nodiscard]] bool wants(const core::LogEntry& entry) const {
      return entry.seq > after && matches(topic, keys_of(entry));
    }
  };

  const MemoryEventLog& log_;
  bool subscriptions_end_;
  std::map<std::string, Expectation> expectations_;
};

/// One client over one log, driven by a seed: appends, publishes, answers in any order, mailbox tasks, drains,
/// subscriptions and their ends in any order.
class Interleaving {
 public:
  Interleaving(std::uint64_t seed, bool unsubscribes) : random_(seed), unsubscribes_(unsubscribes) {
    append(pick(0, 500));
    // Little is remembered and little may wait, so that much is held and much is read again.
    bench_.begin_at(pick(0, bench_.log.extent.head_seq), {100'000, pick(1, 60), {pick(1, 40), 1'000'000}});
    bench_.outlet.on_send = [this](std::uint64_t seq) { model_.sent(seq); };
  }

  /// What went wrong; empty when nothing did.
  std::string run(int steps) {
    for (int i = 0; i < steps && model_.trouble.empty(); ++i) step();
    bench_.settle();
    bench_.publish_all();
    bench_.settle();
    model_.check_complete();
    if (bench_.outlet.given_up > 0) model_.trouble += " gave up";
    return model_.trouble;
  }

  [[nodiscard]] std::size_t sent() const { return bench_.outlet.frames.size(); }

 private:
  std::uint64_t pick(std::uint64_t from, std::uint64_t to) {
    return std::uniform_int_distribution<std::uint64_t>(from, to)(random_);
  }

  void append(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      bench_.log.append(pick(0, 3), "GS" + std::to_string(pick(1, 2)), "GR" + std::to_string(pick(1, 2)));
    }
  }

  Topic any_topic() {
    switch (pick(0, 5)) {
      case 0: return everything;
      case 1: return to_recipient("GR" + std::to_string(pick(1, 2)));
      case 2: return from_sender("GS" + std::to_string(pick(1, 2)));
      default: return of_stream(pick(1, 3));
    }
  }

  void subscribe() {
    const Topic topic = any_topic();
    std::optional<core::Cursor> after;
    const std::uint64_t head = bench_.log.extent.head_seq;
    const std::uint64_t kind = pick(0, 9);
    if (kind < 6) after = at(pick(0, head));
    if (kind == 6) after = core::Cursor{"other", pick(0, head)};
    bench_.session->subscribe(
        topic, after, [this, topic, after](const Subscribed& subscribed) { answered(topic, after, subscribed); });
  }

  void answered(const Topic& topic, const std::optional<core::Cursor>& after, const Subscribed& subscribed) {
    if (subscribed.problem != Subscribed::Problem::none) model_.trouble += " refused";
    if (model_.has(topic)) return;  // it joined what was there
    const core::Resume expected = !after                    ? core::Resume::live
                                  : after->epoch == "other" ? core::Resume::epoch_changed
                                                            : core::Resume::resumed;
    if (subscribed.decision.outcome != expected) model_.trouble += " told another outcome";
    if (expected == core::Resume::resumed && subscribed.decision.after_seq != after->seq) {
      model_.trouble += " told another position";
    }
    model_.begin(topic, subscribed.decision.after_seq);
  }

  void step() {
    switch (pick(0, 13)) {
      case 0:
      case 1: return append(pick(0, 3));
      case 2:
      case 3:
      case 4: return bench_.publish_up_to(pick(bench_.published, bench_.log.extent.head_seq));
      case 5:
      case 6:
      case 7:
        if (bench_.log.waiting() > 0) bench_.log.answer(pick(0, bench_.log.waiting() - 1));
        return;
      case 8:
      case 9:
      case 10:
        if (bench_.mailbox.empty()) return;
        {
          const std::function<void()> task = std::move(bench_.mailbox.front());
          bench_.mailbox.pop_front();
          task();
        }
        return;
      case 11: return bench_.drain();
      case 12: return subscribe();
      default: break;
    }
    if (!unsubscribes_) return;
    const Topic topic = any_topic();
    bench_.session->unsubscribe(topic);
    model_.end(topic);
  }

  std::mt19937_64 random_;
  bool unsubscribes_;
  SessionBench bench_;
  Model model_{bench_.log, unsubscribes_};
};

constexpr std::uint64_t seeds = 300;
constexpr int steps = 400;

void expect_no_trouble(bool unsubscribes) {
  std::size_t sent = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Interleaving interleaving(seed, unsubscribes);
    EXPECT_EQ(interleaving.run(steps), "") << "seed " << seed;
    if (::testing::Test::HasFailure()) return;
    sent += interleaving.sent();
  }
  EXPECT_GT(sent, seeds * 100) << "hardly anything was sent, so hardly anything was tested";
}

TEST(FeedSessionInterleavings, NoHoleNothingTwiceAndInOrder) {
  expect_no_trouble(/*unsubscribes=*/false);
}

TEST(FeedSessionInterleavings, NeitherWhenSubscriptionsEnd) {
  expect_no_trouble(/*unsubscribes=*/true);
}

}  // namespace
}  // namespace fluxora::hub::test
