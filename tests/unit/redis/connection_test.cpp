#include "connection.hpp"

#include <array>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fluxora::redis {
namespace {

constexpr std::chrono::hours for_ever(1);

/// Takes one connection on a loopback port; answers the first thing it is told with `greeting`, and then says what the
/// test says.
class FakeRedis {
 public:
  explicit FakeRedis(std::string greeting) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, text = std::move(greeting)] {
      peer_ = accept(listener_, nullptr, nullptr);
      std::array<char, 4'096> heard{};
      const ssize_t count = read(peer_, heard.data(), heard.size());
      if (count > 0) heard_.assign(heard.data(), static_cast<std::size_t>(count));
      say(text);
    });
  }
  ~FakeRedis() {
    if (thread_.joinable()) thread_.join();
    close(peer_);
    close(listener_);
  }
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  [[nodiscard]] RedisAddress address() const { return {"127.0.0.1", port_, "", "", 0}; }
  void say(const std::string& text) const { EXPECT_EQ(write(peer_, text.data(), text.size()), ssize_t(text.size())); }
  void hang_up() {
    thread_.join();
    shutdown(peer_, SHUT_RDWR);
  }
  /// The first that it was told.
  const std::string& heard() {
    if (thread_.joinable()) thread_.join();
    return heard_;
  }

 private:
  int listener_;
  int peer_ = -1;
  std::uint16_t port_ = 0;
  std::string heard_;
  std::thread thread_;
};

TEST(Connection, SaysWhoWeAre) {
  FakeRedis redis("+OK\r\n+PONG\r\n+OK\r\n");
  RedisAddress address = redis.address();
  address.user = "fluxora";
  address.password = "se cret";
  address.database = 3;
  const Connection connection(address);
  EXPECT_EQ(redis.heard(),
            "*3\r\n$4\r\nAUTH\r\n$7\r\nfluxora\r\n$7\r\nse cret\r\n*1\r\n$4\r\nPING\r\n"
            "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
}

/// What is told of a Redis that answers so to a connection with a password.
std::string refused_with(const std::string& answers) {
  FakeRedis redis(answers);
  RedisAddress address = redis.address();
  address.user = "kim";
  address.password = "SECRET";
  try {
    const Connection connection(address);
  } catch (const RedisError& error) {
    return error.what();
  }
  return "let in";
}

TEST(Connection, ARefusalIsToldByItsCommandAndKindAlone) {
  const std::string rest = "+PONG\r\n";
  EXPECT_EQ(refused_with("-WRONGPASS invalid username-password pair or user is disabled.\r\n" + rest),
            "AUTH was refused: WRONGPASS");
  EXPECT_EQ(refused_with("+OK\r\n-NOAUTH Authentication required.\r\n"), "PING was refused: NOAUTH");
  EXPECT_EQ(refused_with("-ERR unknown command 'AUTH', with args beginning with: 'kim' 'SECRET'\r\n" + rest),
            "AUTH was refused: ERR");
  EXPECT_EQ(refused_with("-'SECRET' isn't the password\r\n" + rest), "AUTH was refused");
  EXPECT_EQ(refused_with("-\r\n" + rest), "AUTH was refused");
}

TEST(Connection, NobodyThereIsAnError) {
  RedisAddress address;
  {
    FakeRedis redis("+PONG\r\n");
    address = redis.address();
    const Connection connection(address);
  }
  EXPECT_THROW(Connection{address}, RedisError);
}

TEST(Connection, RepliesAreOfEveryKind) {
  FakeRedis redis("+PONG\r\n");
  Connection connection(redis.address());
  static_cast<void>(redis.heard());
  redis.say(":-7\r\n$3\r\na\r\n\r\n$-1\r\n-ERR no\r\n*2\r\n$1\r\nx\r\n:1\r\n");
  const std::vector<Reply> replies = connection.run({{"A"}, {"B"}, {"C"}, {"D"}, {"E"}});
  ASSERT_EQ(replies.size(), 5u);
  EXPECT_EQ(replies[0].integer, -7);
  EXPECT_EQ(replies[1].text, "a\r\n");
  EXPECT_EQ(replies[2].kind, Reply::Kind::nil);
  EXPECT_EQ(replies[3].kind, Reply::Kind::error);
  ASSERT_EQ(replies[4].list.size(), 2u);
  EXPECT_EQ(replies[4].list[0].text, "x");
}

TEST(Connection, BeingWokenEndsOneWait) {
  FakeRedis redis("+PONG\r\n");
  Connection connection(redis.address());
  static_cast<void>(redis.heard());
  WakeUp wake_up;
  wake_up.wake();
  EXPECT_FALSE(connection.receive(for_ever, wake_up));
  redis.say("+hello\r\n");
  const auto message = connection.receive(for_ever, wake_up);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text, "hello");
}

TEST(Connection, AMessageComesWhenAllOfItIsThere) {
  FakeRedis redis("+PONG\r\n");
  Connection connection(redis.address());
  static_cast<void>(redis.heard());
  WakeUp wake_up;
  redis.say("$5\r\nhe");
  EXPECT_FALSE(connection.receive(for_ever, wake_up));
  redis.say("llo\r\n+next\r\n");
  EXPECT_EQ(connection.receive(for_ever, wake_up)->text, "hello");
  EXPECT_EQ(connection.receive(for_ever, wake_up)->text, "next");
}

TEST(Connection, WhatIsNoReplyIsAnError) {
  FakeRedis redis("+PONG\r\n");
  Connection connection(redis.address());
  static_cast<void>(redis.heard());
  WakeUp wake_up;
  redis.say("HTTP/1.1 400 Bad Request\r\n");
  EXPECT_THROW(connection.receive(for_ever, wake_up), RedisError);
}

TEST(Connection, ALostConnectionIsAnError) {
  FakeRedis redis("+PONG\r\n");
  Connection connection(redis.address());
  redis.hang_up();
  WakeUp wake_up;
  EXPECT_THROW(connection.receive(for_ever, wake_up), RedisError);
}

}  // namespace
}  // namespace fluxora::redis
