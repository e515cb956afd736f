#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/hub/feed_session.hpp"
#include "fluxora/hub/read_queue.hpp"
#include "memory_event_log.hpp"
#include "stream_samples.hpp"

namespace fluxora::hub::test {
namespace {

// Many connections on the shards of two I/O threads, of which each is as far behind the log as chance has it: what
// every one of them is given must be the filter of the log from where it was told that it begins, each entry once and
// in order, and nothing may ever wait that is beyond the bounds. The filter is the test's own.

constexpr std::size_t most_messages = 6;
constexpr FeedLimits limits{60'000, most_messages, {12, 1'000'000}};
constexpr std::size_t shards = 2;
constexpr std::size_t clients = 24;

/// What an entry is about, as it was made.
struct About {
  std::uint64_t stream = 0;
  std::string sender;
  std::string recipient;
  std::string former_recipient;
  core::EventName event{};
};

/// One connection at a time, with one subscription.
struct Client {
  std::size_t shard = 0;
  Topic topic;
  FeedFormat format = FeedFormat::websocket;
  bool reads = true;  // now and then
  std::shared_ptr<FeedSession> session;
  std::unique_ptr<Outlet> outlet;
  Backlog backlog;
  std::string epoch;
  std::optional<std::uint64_t> begun_after;
  std::uint64_t last = 0;
  bool ended = false;
  unsigned ticks_since_drained = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), clients_(clients) {
    append(pick(0, 60));
    for (std::size_t i = 0; i < shards; ++i) {
      boxes_.emplace_back();
      shards_.push_back(std::make_unique<FeedShard>(
          queue_, TailPosition{log_.extent.epoch, pick(0, log_.extent.head_seq)},
          [this, i](std::function<void()> task) { boxes_[i].push_back(std::move(task)); }, limits));
    }
    for (Client& client : clients_) connect(client);
  }

  ~World() {
    for (Client& client : clients_) client.session->close();
  }

  std::string run(int steps) {
    for (int i = 0; i < steps && trouble_.empty(); ++i) step();
    if (trouble_.empty()) settle();
    for (Client& client : clients_) check_complete(client);
    for (const auto& shard : shards_) held += shard->counters().holds;
    return trouble_;
  }

  std::size_t sent = 0;
  std::size_t held = 0;
  std::size_t slow = 0;
  std::size_t given_up = 0;
  std::size_t gaps = 0;
  std::size_t changes_of_log = 0;

 private:
  class Connection final : public Outlet {
   public:
    Connection(World& world, Client& client) : world_(world), client_(client) {}
    void send(Frame frame) override { world_.on_send(client_, frame); }
    [[nodiscard]] Backlog backlog() const override { return client_.backlog; }
    [[nodiscard]] bool drained() const override { return client_.backlog.messages == 0; }
    void give_up() override { world_.on_give_up(client_); }
    void too_slow() override { world_.on_too_slow(client_); }

   private:
    World& world_;
    Client& client_;
  };

  std::uint64_t pick(std::uint64_t from, std::uint64_t to) {
    return std::uniform_int_distribution<std::uint64_t>(from, to)(random_);
  }
  bool chance(unsigned percent) { return pick(1, 100) <= percent; }
  void fail(const Client& client, const std::string& what) {
    trouble_ += " client " + std::to_string(&client - clients_.data()) + ": " + what;
  }

  // The log.

  void append(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      About about;
      about.stream = pick(0, 4);
      about.event = core::EventName::protocol_event;
      core::LogEntry entry;
      entry.event_id = "event-" + std::to_string(log_.extent.head_seq + 1);
      entry.stream_id = stream_id(about.stream);
      if (about.stream != 0) {
        about.event = chance(50) ? core::EventName::stream_updated : core::EventName::stream_retracted;
        about.sender = "GS" + std::to_string(pick(1, 2));
        about.recipient = "GR" + std::to_string(pick(1, 3));
        if (chance(30)) about.former_recipient = "GR" + std::to_string(pick(4, 5));
        entry.stream = core::sample_stream();
        entry.stream->sender = about.sender;
        entry.stream->recipient = about.recipient;
        if (!about.former_recipient.empty()) {
          entry.change = R"({"recipient":[")" + about.former_recipient + R"(",")" + about.recipient + R"("]})";
        }
      }
      entry.event = about.event;
      log_.append(std::move(entry));
      abouts_.push_back(about);
    }
  }

  void change_log() {
    log_.become("e" + std::to_string(++changes_of_log + 1));
    abouts_.clear();
    append(pick(0, 30));
  }

  [[nodiscard]] bool wants(const Topic& topic, std::uint64_t seq) const {
    const About& about = abouts_.at(seq - 1);
    if (topic.event && *topic.event != about.event) return false;
    switch (topic.kind) {
      case Topic::Kind::all: return true;
      case Topic::Kind::stream: return stream_id(about.stream) == topic.value;
      case Topic::Kind::sender: return about.sender == topic.value;
      case Topic::Kind::recipient: break;
    }
    return about.recipient == topic.value || about.former_recipient == topic.value;
  }

  [[nodiscard]] std::optional<std::uint64_t> next_wanted(const Topic& topic, std::uint64_t after) const {
    for (std::uint64_t seq = after + 1; seq <= log_.extent.head_seq; ++seq) {
      if (wants(topic, seq)) return seq;
    }
    return std::nullopt;
  }

  // The connections.

  Topic any_topic() {
    Topic topic;
    switch (pick(0, 4)) {
      case 0: break;
      case 1: topic = {Topic::Kind::sender, "GS" + std::to_string(pick(1, 2))}; break;
      case 2: topic = {Topic::Kind::recipient, "GR" + std::to_string(pick(1, 5))}; break;
      default: topic = {Topic::Kind::stream, stream_id(pick(1, 4))};
    }
    if (chance(25)) topic.event = core::EventName::stream_updated;
    return topic;
  }

  void connect(Client& client) {
    if (client.session) client.session->close();
    const bool same_epoch = client.epoch == log_.extent.epoch;
    const std::uint64_t last = client.last;
    const bool resumes = client.begun_after && chance(60);
    client.session.reset();
    client = Client();
    client.shard = pick(0, shards - 1);
    client.topic = any_topic();
    client.format = chance(50) ? FeedFormat::websocket : FeedFormat::sse;
    client.reads = chance(85);
    client.outlet = std::make_unique<Connection>(*this, client);
    client.session = std::make_shared<FeedSession>(*shards_[client.shard], *client.outlet, client.format);
    std::optional<core::Cursor> after;
    if (resumes && same_epoch) {
      after = core::Cursor{log_.extent.epoch, last};
    } else if (chance(50)) {
      after = core::Cursor{log_.extent.epoch, pick(0, log_.extent.head_seq)};
    }
    client.session->subscribe(client.topic, after, [this, &client, after](const Subscribed& subscribed) {
      if (subscribed.problem != Subscribed::Problem::none) {
        client.ended = true;  // the log is another one
        if (changes_of_log == 0) fail(client, "was refused");
        return;
      }
      client.epoch = subscribed.epoch;
      client.begun_after = subscribed.decision.after_seq;
      client.last = subscribed.decision.after_seq;
      if (subscribed.decision.outcome == core::Resume::gap) ++gaps;
      if (subscribed.decision.outcome == core::Resume::resumed && after->seq != subscribed.decision.after_seq) {
        fail(client, "was told another position");
      }
    });
  }

  void on_send(Client& client, const Frame& frame) {
    ++sent;
    ++client.backlog.messages;
    client.backlog.bytes += frame->size();
    if (client.backlog.messages > most_messages) fail(client, "has too much waiting");
    if (client.ended) return fail(client, "was sent something after its end");
    if (!client.begun_after) return fail(client, "was sent something before it was told where it begins");
    const std::string before_cursor = client.format == FeedFormat::sse ? "id: " : "\"cursor\":\"";
    const std::size_t from = frame->find(before_cursor) + before_cursor.size();
    const auto cursor = core::parse_cursor(frame->substr(from, frame->find_first_of("\"\n", from) - from));
    if (!cursor) return fail(client, "was sent nonsense: " + *frame);
    if (cursor->epoch != client.epoch) return fail(client, "was sent an entry of another log");
    if (client.epoch != log_.extent.epoch) return;  // of the log before, whose entries are gone
    const auto expected = next_wanted(client.topic, client.last);
    if (expected != cursor->seq) {
      fail(client, "was sent " + std::to_string(cursor->seq) + " behind " + std::to_string(client.last) + ", not " +
                       (expected ? std::to_string(*expected) : std::string("nothing")));
    }
    client.last = cursor->seq;
  }

  void on_give_up(Client& client) {
    ++given_up;
    client.ended = true;
    const bool other_log = client.epoch != log_.extent.epoch;
    if (!other_log && log_.extent.oldest_seq <= 1) fail(client, "was given up for nothing");
  }

  void on_too_slow(Client& client) {
    ++slow;
    client.ended = true;
    if (client.ticks_since_drained + 1 < slow_consumer_ticks) fail(client, "was ended as slow too early");
  }

  void drain(Client& client) {
    client.backlog = {};
    client.ticks_since_drained = 0;
    if (!client.ended) client.session->on_drained();
  }

  void tick(std::size_t shard) {
    shards_[shard]->tick(0);
    for (Client& client : clients_) {
      if (client.shard != shard || client.backlog.messages == 0) continue;
      ++client.ticks_since_drained;
    }
  }

  // The threads.

  void publish(std::size_t shard, std::uint64_t up_to) {
    FeedShard& feeds = *shards_[shard];
    if (feeds.position().epoch != log_.extent.epoch) {
      feeds.change_log({log_.extent.epoch, up_to});
      for (Client& client : clients_) client.ended = client.ended || client.shard == shard;  // as they are told
      return;
    }
    if (up_to <= feeds.position().seq) return;
    const auto batch = std::make_shared<PublishedBatch>(log_.extent.epoch, feeds.position().seq);
    for (std::uint64_t seq = feeds.position().seq + 1; seq <= up_to; ++seq) batch->add(log_.entry(seq));
    feeds.publish(batch);
  }

  bool run_box(std::size_t shard) {
    if (boxes_[shard].empty()) return false;
    const std::function<void()> task = std::move(boxes_[shard].front());
    boxes_[shard].pop_front();
    task();
    return true;
  }

  void step() {
    const std::size_t shard = pick(0, shards - 1);
    Client& client = clients_[pick(0, clients - 1)];
    switch (pick(0, 15)) {
      case 0:
      case 1: return append(pick(0, 8));
      case 2:
      case 3:
        return publish(shard,
                       pick(std::min(shards_[shard]->position().seq, log_.extent.head_seq), log_.extent.head_seq));
      case 4:
      case 5:
      case 6:
      case 7:
        if (log_.waiting() > 0) log_.answer(pick(0, log_.waiting() - 1));
        return;
      case 8:
      case 9:
      case 10: run_box(shard); return;
      case 11:
      case 12:
        if (client.reads) drain(client);
        return;
      case 13: return tick(shard);
      case 14:
        if (client.ended || chance(20)) connect(client);
        return;
      default: break;
    }
    if (chance(3)) change_log();
    if (chance(3)) log_.prune(std::min(log_.extent.head_seq + 1, log_.extent.oldest_seq + pick(0, 10)));
  }

  /// Everything goes on until nothing waits.
  void settle() {
    for (std::size_t shard = 0; shard < shards; ++shard) publish(shard, log_.extent.head_seq);
    bool moved = true;
    while (moved) {
      moved = false;
      while (log_.waiting() > 0) {
        log_.answer();
        moved = true;
      }
      for (std::size_t shard = 0; shard < shards; ++shard) {
        while (run_box(shard)) moved = true;
      }
      for (Client& client : clients_) {
        if (client.backlog.messages == 0) continue;
        drain(client);
        moved = true;
      }
    }
  }

  void check_complete(Client& client) {
    if (client.ended || client.epoch != log_.extent.epoch) return;
    if (!client.begun_after) return fail(client, "was never told where it begins");
    if (const auto missing = next_wanted(client.topic, client.last)) {
      fail(client, "was never sent " + std::to_string(*missing));
    }
  }

  std::mt19937_64 random_;
  MemoryEventLog log_;
  ReadQueue queue_{log_, 4, clients};
  std::vector<About> abouts_;
  std::vector<std::deque<std::function<void()>>> boxes_;
  std::vector<std::unique_ptr<FeedShard>> shards_;
  std::vector<Client> clients_;
  std::string trouble_;
};

TEST(FeedsProperty, EveryConnectionIsGivenTheFilterOfTheLog) {
  constexpr std::uint64_t seeds = 50;
  std::size_t sent = 0, held = 0, slow = 0, given_up = 0, gaps = 0, changes_of_log = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    World world(seed);
    ASSERT_EQ(world.run(2'000), "") << "seed " << seed;
    sent += world.sent;
    held += world.held;
    slow += world.slow;
    given_up += world.given_up;
    gaps += world.gaps;
    changes_of_log += world.changes_of_log;
  }
  // Else hardly anything was tested.
  EXPECT_GT(sent, seeds * 300);
  EXPECT_GT(held, seeds * 5);
  EXPECT_GT(slow, seeds / 4);
  EXPECT_GT(given_up, seeds / 4);
  EXPECT_GT(gaps, seeds / 4);
  EXPECT_GT(changes_of_log, seeds / 4);
}

}  // namespace
}  // namespace fluxora::hub::test
