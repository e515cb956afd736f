#include "live_log_tail.hpp"

#include <optional>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "sample_entries.hpp"

namespace fluxora::redis {
namespace {

using std::chrono::milliseconds;
using test::entries;
using test::seqs;
using Seqs = std::vector<std::uint64_t>;

constexpr std::size_t limit = 5;
constexpr milliseconds longest_wait{500};

/// The database, and what was done to it.
struct Database {
  std::string epoch = "k3f9";
  std::uint64_t head = 0;
  bool away = false;
  int reads = 0;
  int connections = 0;
  int listening = 0;  ///< connections that LISTEN
  std::vector<milliseconds> waits;
};

class DatabaseTail final : public ports::LogTail {
 public:
  explicit DatabaseTail(Database& database) : database_(database) { ++database_.connections; }
  ~DatabaseTail() override {
    --database_.connections;
    database_.listening -= listens_ ? 1 : 0;
  }
  DatabaseTail(const DatabaseTail&) = delete;
  DatabaseTail& operator=(const DatabaseTail&) = delete;

  ports::LogHead head() override {
    ask();
    return {database_.epoch, 1, database_.head};
  }
  ports::EventPage read_after(std::uint64_t seq, std::size_t most) override {
    ask();
    ++database_.reads;
    const std::uint64_t last = std::min<std::uint64_t>(database_.head, seq + most);
    return {seq < last ? entries(seq + 1, last) : std::vector<core::LogEntry>(), last < database_.head, head()};
  }
  void wait(milliseconds timeout) override {
    ask();
    if (!listens_) ++database_.listening;
    listens_ = true;
    database_.waits.push_back(timeout);
  }

 private:
  void ask() const {
    if (database_.away) throw ports::StoreUnavailable("the database is away");
  }

  Database& database_;
  bool listens_ = false;
};

/// The way to the others: the test is the others.
class FakeBus final : public LogBus {
 public:
  explicit FakeBus(const ports::Clock& clock) : inbox_(clock) {}

  void follow(const std::string& epoch) override {
    followed.push_back(epoch);
    publisher = false;
    inbox_.begin(epoch);
  }
  [[nodiscard]] bool publishes() const override { return publisher; }
  void stand(bool wanted) override { stood.push_back(wanted); }
  void publish(std::string epoch, std::uint64_t last_seq, std::vector<core::LogEntry> list) override {
    published.push_back({{}, std::move(epoch), last_seq, std::move(list)});
  }
  [[nodiscard]] LogInbox& inbox() override { return inbox_; }
  void contradict() override {
    ++contradictions;
    inbox_.doubt();
  }

  bool publisher = false;
  int contradictions = 0;
  std::vector<std::string> followed;
  std::vector<bool> stood;
  std::vector<LogNews> published;

 private:
  LogInbox inbox_;
};

class LiveLogTailTest : public testing::Test {
 protected:
  Seqs after(std::uint64_t seq) { return seqs(tail_.read_after(seq, limit).entries); }
  void tell(std::uint64_t first, std::uint64_t last) { bus_.inbox().put({{}, "k3f9", last, entries(first, last)}); }
  void sign_of_life(std::uint64_t last) { bus_.inbox().put({{}, "k3f9", last, {}}); }
  /// An instance that has read everything up to the database's head, and hears of it over the bus.
  void catch_up() {
    tail_.head();
    sign_of_life(database_.head);
    EXPECT_EQ(after(database_.head), Seqs{});
    database_.reads = 0;
  }

  fakes::FakeClock clock_;
  Database database_;
  FakeBus bus_{clock_};
  LiveLogTail::Counts counts_;
  LiveLogTail tail_{[this] { return std::make_unique<DatabaseTail>(database_); }, bus_, clock_, counts_};
};

TEST_F(LiveLogTailTest, WithoutAWordFromOthersItIsTheDatabasesTail) {
  database_.head = 7;
  EXPECT_EQ(tail_.head().head_seq, 7u);
  EXPECT_EQ(bus_.followed, std::vector<std::string>{"k3f9"});
  EXPECT_EQ(after(0), (Seqs{1, 2, 3, 4, 5}));
  EXPECT_EQ(after(5), (Seqs{6, 7}));
  EXPECT_EQ(after(7), Seqs{});
  tail_.wait(longest_wait);
  EXPECT_EQ(database_.waits, std::vector<milliseconds>{longest_wait});
  EXPECT_EQ(bus_.stood, (std::vector<bool>{true, true, true})) << "nobody publishes";
  EXPECT_TRUE(bus_.published.empty());
}

TEST_F(LiveLogTailTest, FollowsTheBusWithoutTheDatabase) {
  database_.head = 7;
  catch_up();
  for (std::uint64_t seq = 8; seq < 20; ++seq) {
    database_.head = seq;
    tell(seq, seq);
    const ports::EventPage page = tail_.read_after(seq - 1, limit);
    EXPECT_EQ(seqs(page.entries), Seqs{seq});
    EXPECT_EQ(page.head.epoch, "k3f9");
    EXPECT_EQ(page.head.head_seq, seq);
    EXPECT_EQ(after(seq), Seqs{});
    clock_.advance(milliseconds(10));
  }
  EXPECT_EQ(database_.reads, 0);
  EXPECT_EQ(counts_.from_bus, 25u) << "one of them while catching up";
}

TEST_F(LiveLogTailTest, WhoFollowsTheBusDoesNotListen) {
  tail_.head();
  tail_.wait(longest_wait);
  EXPECT_EQ(database_.listening, 1);
  catch_up();
  tail_.wait(milliseconds(0));
  EXPECT_EQ(database_.listening, 0);
  EXPECT_EQ(database_.connections, 1);
  bus_.inbox().doubt();
  tail_.wait(longest_wait);
  EXPECT_EQ(database_.listening, 1) << "nobody wakes it but the database now";
}

TEST_F(LiveLogTailTest, AHoleIsReadFromTheDatabase) {
  database_.head = 7;
  catch_up();
  database_.head = 10;
  tell(10, 10);
  EXPECT_EQ(after(7), (Seqs{8, 9, 10}));
  EXPECT_EQ(database_.reads, 1);
  tell(11, 11);
  EXPECT_EQ(after(10), Seqs{11});
  EXPECT_EQ(database_.reads, 1);
}

TEST_F(LiveLogTailTest, WhatIsToldWithoutItsEntriesIsReadFromTheDatabase) {
  catch_up();
  database_.head = 2;
  sign_of_life(2);
  EXPECT_EQ(after(0), (Seqs{1, 2}));
  EXPECT_EQ(database_.reads, 1);
}

TEST_F(LiveLogTailTest, WhenThePublisherFallsSilentTheDatabaseIsRead) {
  catch_up();
  database_.head = 1;
  EXPECT_EQ(after(0), Seqs{}) << "the publisher hasn't told of it";
  clock_.advance(LogInbox::longest_silence + milliseconds(1));
  EXPECT_EQ(after(0), Seqs{1});
  EXPECT_TRUE(bus_.stood.back()) << "somebody has to publish";
}

TEST_F(LiveLogTailTest, TheDatabaseIsReadOnceInAWhileWhateverTheBusSays) {
  catch_up();
  database_.head = 1;
  for (milliseconds passed(0); passed < LiveLogTail::longest_unread; passed += milliseconds(100)) {
    EXPECT_EQ(after(0), Seqs{});
    clock_.advance(milliseconds(100));
    sign_of_life(0);
  }
  EXPECT_EQ(after(0), Seqs{1});
  EXPECT_FALSE(bus_.stood.back()) << "somebody publishes";
}

TEST_F(LiveLogTailTest, WhatTheDatabaseDeniesIsNotBelieved) {
  database_.head = 3;
  catch_up();
  sign_of_life(1'000'000);
  EXPECT_EQ(after(3), Seqs{});
  EXPECT_EQ(bus_.contradictions, 1);
  EXPECT_EQ(after(3), Seqs{});
  EXPECT_EQ(bus_.contradictions, 1);
  EXPECT_EQ(database_.reads, 2) << "until there is word again";
}

TEST_F(LiveLogTailTest, ThePublisherTellsWhatItReads) {
  database_.head = 7;
  tail_.head();
  bus_.publisher = true;
  after(0);
  after(5);
  after(7);
  ASSERT_EQ(bus_.published.size(), 2u) << "the end was told with the last page";
  EXPECT_EQ(seqs(bus_.published[0].entries), (Seqs{1, 2, 3, 4, 5}));
  EXPECT_EQ(bus_.published[0].last_seq, 5u);
  EXPECT_EQ(seqs(bus_.published[1].entries), (Seqs{6, 7}));
  EXPECT_EQ(bus_.published[1].last_seq, 7u);
  EXPECT_EQ(bus_.published[1].epoch, "k3f9");
}

TEST_F(LiveLogTailTest, ThePublisherSaysThatItIsThere) {
  database_.head = 7;
  tail_.head();
  bus_.publisher = true;
  for (int beat = 0; beat < 4; ++beat) {
    tail_.wait(longest_wait);
    clock_.advance(LiveLogTail::pulse);
    EXPECT_EQ(after(7), Seqs{});
  }
  EXPECT_EQ(database_.waits, std::vector<milliseconds>(4, LiveLogTail::pulse));
  ASSERT_EQ(bus_.published.size(), 4u);
  EXPECT_TRUE(bus_.published[3].entries.empty());
  EXPECT_EQ(bus_.published[3].last_seq, 7u);
}

TEST_F(LiveLogTailTest, ThePublisherReadsTheDatabaseWhateverOthersTell) {
  catch_up();
  bus_.publisher = true;
  database_.head = 2;
  tell(1, 1);
  EXPECT_EQ(after(0), (Seqs{1, 2}));
}

TEST_F(LiveLogTailTest, WithoutTheDatabaseThePublisherFallsSilent) {
  catch_up();
  bus_.publisher = true;
  const std::size_t stood = bus_.stood.size();
  database_.away = true;
  EXPECT_THROW(after(0), ports::StoreUnavailable);
  EXPECT_EQ(bus_.stood.size(), stood);
  EXPECT_TRUE(bus_.published.empty());
}

TEST_F(LiveLogTailTest, AnotherLogInThePlaceOfOursIsFollowed) {
  database_.head = 7;
  tail_.head();
  bus_.publisher = true;
  after(7);
  bus_.published.clear();
  database_.epoch = "a1b2";
  database_.head = 9;
  EXPECT_EQ(tail_.read_after(7, limit).head.epoch, "a1b2");
  EXPECT_EQ(bus_.followed, (std::vector<std::string>{"k3f9", "a1b2"}));
  EXPECT_TRUE(bus_.published.empty()) << "the office is the old log's";
  tell(10, 10);
  EXPECT_EQ(after(9), Seqs{}) << "of the old log";
}

}  // namespace
}  // namespace fluxora::redis
