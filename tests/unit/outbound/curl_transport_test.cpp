#include <algorithm>
#include <condition_variable>
#include <cstdlib>

#include <gtest/gtest.h>

#include "receiver.hpp"
#include "seen_connections.hpp"

namespace fluxora::outbound::test {
namespace {

using ports::TransportFailure;

constexpr int little_time_ms = 300;

CurlTransportOptions hasty_options() {
  CurlTransportOptions options = loopback_options();
  options.timeout_ms = little_time_ms;
  return options;
}

std::string answer_with(const std::string& status, const std::string& headers = {}, const std::string& body = {}) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Waits for a future that is sure to be ready.
ports::WebhookAnswer get(std::future<ports::WebhookAnswer>& answer) {
  if (answer.wait_for(patience) != std::future_status::ready) throw std::runtime_error("no answer");
  return answer.get();
}

TEST(CurlTransport, PostsBodyAndHeadersAsTheyAre) {
  std::promise<std::string> seen;
  Receiver receiver([&](Peer& peer) {
    seen.set_value(peer.read_request());
    peer.send(ok_answer);
  });
  CurlTransportOptions options = loopback_options();
  options.user_agent = "Fluxora/test";
  Sender sender(std::move(options));
  const std::string body("{\"a\":\"\0\xff\r\n\r\n\"}", 15);
  auto answer = sender.send(receiver.url() + "?a=b%20c", body,
                            {{"Content-Type", "application/json"}, {"webhook-id", "wd_1_e_2"}, {"x-empty", ""}});
  EXPECT_EQ(get(answer).status, 200U);
  EXPECT_EQ(seen.get_future().get(),
            "POST /hook?a=b%20c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(receiver.port()) +
                "\r\nUser-Agent: Fluxora/test\r\nAccept: */*\r\nContent-Type: application/json\r\n"
                "webhook-id: wd_1_e_2\r\nx-empty:\r\nContent-Length: 15\r\n\r\n" +
                body);
}

TEST(CurlTransport, LargeBodiesAreSentWithoutAsking) {
  Receiver receiver([&](Peer& peer) {
    const std::string request = peer.read_request();
    peer.send(answer_with("200 OK", {},
                          std::to_string(request.size() - request.find("\r\n\r\n") - 4) +
                              (request.find("100-continue") == std::string::npos ? "" : " asked")));
  });
  Sender sender;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, std::size_t{2'000'000}}) {
    EXPECT_EQ(sender.ask(receiver.url(), std::string(size, 'x')).response, std::to_string(size));
  }
}

TEST(CurlTransport, HeadersThatWouldBecomeOthersAreRefused) {
  Sender sender;
  for (const char* value : {"a\r\nx-other: b", "a\nb", "a\rb", "\x01"}) {
    EXPECT_THROW(sender.send("http://127.0.0.1:9/", "", {{"x-name", value}}), std::invalid_argument);
    EXPECT_THROW(sender.send("http://127.0.0.1:9/", "", {{value, "x"}}), std::invalid_argument);
  }
}

TEST(CurlTransport, AnyStatusIsAnAnswer) {
  Sender sender;
  for (const std::string status : {"200 OK", "204 No Content", "299 x", "304 Not Modified", "400 Bad",
                                   "401 Unauthorized", "407 Proxy", "410 Gone", "429 Slow", "500", "503 x", "599 x"}) {
    Receiver receiver(answer_once(answer_with(status)));
    const auto answer = sender.ask(receiver.url());
    EXPECT_EQ(answer.failure, TransportFailure::none) << answer.detail;
    EXPECT_EQ(std::to_string(answer.status), status.substr(0, 3));
    EXPECT_EQ(answer.detail, "");
    EXPECT_EQ(answer.started_at, sender.clock.now());
    EXPECT_FALSE(answer.retry_after_ms);
  }
}

TEST(CurlTransport, TheBeginningOfTheAnswerIsKept) {
  Sender sender;
  std::string body = "r\xc3\xa9ponse\x01\xff";
  {
    Receiver receiver(answer_once(answer_with("500 x", {}, body)));
    EXPECT_EQ(sender.ask(receiver.url()).response, "r\xc3\xa9ponse \xef\xbf\xbd");
  }
  body = "ab";
  while (body.size() < 5'000) body += "\xe2\x82\xac";
  Receiver receiver(answer_once(answer_with("500 x", {}, body)));
  EXPECT_EQ(sender.ask(receiver.url()).response, body.substr(0, ports::response_excerpt - 2));
}

TEST(CurlTransport, ConnectionsAreKept) {
  Receiver receiver(answer_all(std::string(ok_answer)));
  Sender sender;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(sender.ask(receiver.url()).status, 200U);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST(CurlTransport, AConnectionThatWasClosedIsOpenedAgain) {
  Receiver announced(answer_all("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
  Receiver silent([](Peer& peer) {
    peer.read_request();
    peer.send(ok_answer);
  });
  Sender sender;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(sender.ask(announced.url()).status, 200U);
    EXPECT_EQ(sender.ask(silent.url()).status, 200U);
  }
  EXPECT_EQ(silent.connections(), 5);
}

TEST(CurlTransport, AConnectionThatClosesAtTheNextRequestIsReplacedEveryTime) {
  Receiver receiver([](Peer& peer) {
    peer.read_request();
    peer.send(ok_answer);
    peer.read_request();
  });
  Sender sender;
  // More often than libcurl would try for one request.
  for (int i = 0; i < 20; ++i) {
    const auto answer = sender.ask(receiver.url());
    EXPECT_EQ(answer.status, 200U) << answer.detail;
  }
}

TEST(CurlTransport, AnswersWithoutLengthEndWithTheConnection) {
  Receiver receiver([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.0 202 x\r\n\r\nall of it");
  });
  Sender sender;
  const auto answer = sender.ask(receiver.url());
  EXPECT_EQ(answer.status, 202U);
  EXPECT_EQ(answer.response, "all of it");
}

TEST(CurlTransport, ChunksAndTrailersAreRead) {
  Receiver receiver(
      answer_all("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: HTTP/1.1 "
                 "500\r\n\r\n"));
  Sender sender;
  for (int i = 0; i < 3; ++i) {
    const auto answer = sender.ask(receiver.url());
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.response, "abcde");
  }
  EXPECT_EQ(receiver.connections(), 1);
}

TEST(CurlTransport, RedirectsAreNotFollowed) {
  Receiver target(answer_all(std::string(ok_answer)));
  Sender sender;
  take_connections();
  for (const std::string& location :
       {target.url(), std::string("http://169.254.169.254/latest/meta-data/"), std::string("/other")}) {
    for (const char* status : {"301 x", "302 x", "303 x", "307 x", "308 x"}) {
      Receiver receiver(answer_once(answer_with(status, "Location: " + location + "\r\n")));
      EXPECT_EQ(std::to_string(sender.ask(receiver.url()).status), std::string(status).substr(0, 3));
    }
  }
  EXPECT_EQ(target.connections(), 0);
  const auto seen = take_connections();
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "127.0.0.1"), std::ptrdiff_t{15});
  EXPECT_EQ(seen.size(), 15U);
}

TEST(CurlTransport, NoAnswerInTimeIsTimedOut) {
  Sender sender(hasty_options());
  Receiver silent([](Peer& peer) { peer.wait_for_end(); });
  Receiver in_status_line(answer_once("HTTP/1.1 20"));
  Receiver in_head(answer_once("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"));
  Receiver only_interim(answer_once("HTTP/1.1 100 Continue\r\n\r\n"));
  for (const Receiver* receiver : {&silent, &in_status_line, &in_head, &only_interim}) {
    const auto answer = sender.ask(receiver->url());
    EXPECT_EQ(answer.failure, TransportFailure::timed_out) << answer.detail;
    EXPECT_EQ(answer.status, 0U);
    EXPECT_NE(answer.detail, "");
  }
}

TEST(CurlTransport, AnAnswerByteByByteIsOne) {
  Receiver receiver([](Peer& peer) {
    peer.read_request();
    for (const char byte : answer_with("200 OK", "X-A: b\r\n", "slowly")) peer.send(std::string(1, byte));
    peer.wait_for_end();
  });
  Sender sender;
  EXPECT_EQ(sender.ask(receiver.url()).response, "slowly");
}

TEST(CurlTransport, BytesThatComeOneByOneDoNotExtendTheTime) {
  Receiver receiver([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nX-Endless: ");
    while (peer.send("a")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  Sender sender(hasty_options());
  EXPECT_EQ(sender.ask(receiver.url()).failure, TransportFailure::timed_out);
}

TEST(CurlTransport, WhatBecomesOfTheBodyDoesNotMatter) {
  CurlTransportOptions options = loopback_options();
  options.timeout_ms = 2'000;  // enough for a head
  Sender hasty(std::move(options));
  Sender patient;
  Receiver hangs(answer_once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin"));
  Receiver resets([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin");
    peer.reset();
  });
  Receiver ends([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin");
  });
  Receiver nonsense(answer_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\nnot a length\r\n"));
  for (const Receiver* receiver : {&hangs, &resets, &ends, &nonsense}) {
    const auto answer = (receiver == &hangs ? hasty : patient).ask(receiver->url());
    EXPECT_EQ(answer.failure, TransportFailure::none) << answer.detail;
    EXPECT_EQ(answer.status, 200U);
    // A reset may overtake what was sent before it.
    if (receiver != &resets) {
      EXPECT_EQ(answer.response, "begin");
    }
  }
}

TEST(CurlTransport, AnEndlessBodyIsCutOff) {
  constexpr std::size_t large = 10'000'000;
  std::promise<bool> all_of_it;
  Receiver receiver([&](Peer& peer) {
    peer.read_request();
    all_of_it.set_value(peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(large) + "\r\n\r\n" +
                                  std::string(large, 'x')));
  });
  Sender sender;
  const auto answer = sender.ask(receiver.url());
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.response, std::string(ports::response_excerpt, 'x'));
  EXPECT_FALSE(all_of_it.get_future().get());
}

TEST(CurlTransport, InterimAnswersAreNone) {
  Receiver some(answer_all("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\n\r\n" +
                           std::string(ok_answer)));
  Receiver storm([](Peer& peer) {
    peer.read_request();
    while (peer.send("HTTP/1.1 102 Processing\r\n\r\n")) {
    }
  });
  Sender sender;
  EXPECT_EQ(sender.ask(some.url()).status, 200U);
  EXPECT_EQ(sender.ask(some.url()).status, 200U);
  EXPECT_EQ(some.connections(), 1);
  const auto answer = sender.ask(storm.url());
  EXPECT_EQ(answer.failure, TransportFailure::protocol_failed);
  EXPECT_EQ(answer.detail, "The answer's head is larger than 64 KiB.");
}

TEST(CurlTransport, AHugeHeadIsRefused) {
  Receiver many_fields([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n");
    while (peer.send("X-Field: " + std::string(1'000, 'x') + "\r\n")) {
    }
  });
  Receiver one_field([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nX-Field: ");
    while (peer.send(std::string(1'000, 'x'))) {
    }
  });
  Receiver status_line([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 ");
    while (peer.send(std::string(1'000, 'x'))) {
    }
  });
  Sender sender;
  for (const Receiver* receiver : {&many_fields, &one_field, &status_line}) {
    const auto answer = sender.ask(receiver->url());
    EXPECT_EQ(answer.failure, TransportFailure::protocol_failed) << answer.detail;
    EXPECT_EQ(answer.status, 0U);
  }
}

TEST(CurlTransport, WhatIsNotHttpIsNoAnswer) {
  Sender sender;
  for (const char* nonsense :
       {"SSH-2.0-OpenSSH_9.2\r\n", "hello\r\n\r\n", "HTTP/1.1 000 x\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 20 x\r\n\r\n", "HTTP/7.3 200 OK\r\n\r\n", "\r\n\r\n", "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ""}) {
    Receiver receiver([&](Peer& peer) {
      peer.read_request();
      peer.send(nonsense);
    });
    const auto answer = sender.ask(receiver.url());
    EXPECT_EQ(answer.failure, TransportFailure::protocol_failed) << nonsense << ": " << answer.detail << answer.status;
    EXPECT_NE(answer.detail, "") << nonsense;
  }
  Receiver resets([](Peer& peer) {
    peer.read_request();
    peer.reset();
  });
  EXPECT_EQ(sender.ask(resets.url()).failure, TransportFailure::protocol_failed);
}

TEST(CurlTransport, RetryAfterIsRead) {
  Sender sender;
  const auto ask = [&](const std::string& value) {
    Receiver receiver(answer_once(answer_with("503 x", "Retry-After: " + value + "\r\n")));
    return sender.ask(receiver.url()).retry_after_ms;
  };
  EXPECT_EQ(ask("120"), 120'000);
  EXPECT_EQ(ask("172800"), 172'800'000);
  EXPECT_EQ(ask("Fri, 31 Dec 9999 23:59:59 GMT"), 604'800'000);
  for (const char* nothing : {"0", "", "soon", "-5", "Fri, 31 Dec 1999 23:59:59 GMT"})
    EXPECT_FALSE(ask(nothing)) << nothing;
  for (const char* much : {"604800", "604801", "999999999"}) {
    EXPECT_EQ(ask(much), 604'800'000) << much;
  }
  // Beyond libcurl's numbers: for some of its versions that is nothing.
  EXPECT_EQ(ask("99999999999999999999999999").value_or(604'800'000), 604'800'000);
}

TEST(CurlTransport, NobodyThere) {
  std::string closed;
  {
    Receiver receiver([](Peer&) {});
    closed = receiver.url();
  }
  Sender sender;
  EXPECT_EQ(sender.ask(closed).failure, TransportFailure::connect_failed);
  set_addresses("nobody.example", {{}});
  const auto answer = sender.ask("https://nobody.example/?token=planted");
  EXPECT_EQ(answer.failure, TransportFailure::resolve_failed);
  EXPECT_EQ(answer.detail.find("planted"), std::string::npos);
}

TEST(CurlTransport, ASlowLookupHoldsUpNobody) {
  set_addresses("slow.example", {{"127.0.0.1"}});
  hold_lookup("slow.example");
  Receiver receiver(answer_all(std::string(ok_answer)));
  CurlTransportOptions options = loopback_options();
  options.connect_timeout_ms = 2'000;  // enough for the others
  Sender sender(std::move(options));
  auto slow = sender.send("https://slow.example/");
  EXPECT_EQ(sender.ask(receiver.url()).status, 200U);
  EXPECT_EQ(get(slow).failure, TransportFailure::timed_out);
  // Its thread is still there, and nobody waits for it.
  EXPECT_EQ(held_lookups(), 1);
  EXPECT_EQ(sender.ask(receiver.url()).status, 200U);
  sender.transport.stop();
  EXPECT_EQ(held_lookups(), 1);
  release_lookups();
}

TEST(CurlTransport, ProxiesOfTheEnvironmentAreNotUsed) {
  Receiver proxy(answer_all(std::string(ok_answer)));
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    ::setenv(name, ("http://127.0.0.1:" + std::to_string(proxy.port())).c_str(), 1);
  }
  Receiver receiver(answer_all(std::string(ok_answer)));
  Sender sender;
  EXPECT_EQ(sender.ask(receiver.url()).status, 200U);
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  EXPECT_EQ(receiver.connections(), 1);
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(CurlTransport, CookiesAreNotKept) {
  std::mutex mutex;
  std::string requests;
  Receiver receiver([&](Peer& peer) {
    for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
      const std::lock_guard lock(mutex);
      requests += request;
      peer.send(answer_with("200 OK", "Set-Cookie: a=b; Path=/\r\n"));
    }
  });
  Sender sender;
  EXPECT_EQ(sender.ask(receiver.url()).status, 200U);
  EXPECT_EQ(sender.ask(receiver.url()).status, 200U);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(requests.find("ookie"), std::string::npos);
}

TEST(CurlTransport, ManyAtOnce) {
  constexpr int requests = 1'000;
  constexpr int at_once = 256;
  Receiver receiver(answer_all(std::string(ok_answer)));
  Sender sender;
  std::mutex mutex;
  std::condition_variable changed;
  int sent = 0;
  int good = 0;
  int answers = 0;
  const auto body = std::make_shared<const std::string>(1'024, 'x');
  // Each answer sends the next.
  std::function<void()> send_next = [&] {
    {
      const std::lock_guard lock(mutex);
      if (sent == requests) return;
      ++sent;
    }
    sender.transport.send({receiver.url(), {}, body}, [&](ports::WebhookAnswer answer) {
      send_next();
      const std::lock_guard lock(mutex);
      good += answer.status == 200 ? 1 : 0;
      ++answers;
      changed.notify_all();
    });
  };
  for (int i = 0; i < at_once; ++i) send_next();
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, patience, [&] { return answers == requests; }));
  EXPECT_EQ(good, requests);
  EXPECT_LE(receiver.connections(), at_once);
  EXPECT_GT(receiver.connections(), 1);
}

TEST(CurlTransport, KeptConnectionsHaveABound) {
  CurlTransportOptions options = loopback_options();
  options.kept_connections = 2;
  Receiver first(answer_all(std::string(ok_answer)));
  Receiver second(answer_all(std::string(ok_answer)));
  Receiver third(answer_all(std::string(ok_answer)));
  Sender sender(std::move(options));
  for (int round = 0; round < 4; ++round) {
    for (const Receiver* receiver : {&first, &second, &third}) EXPECT_EQ(sender.ask(receiver->url()).status, 200U);
  }
  // Each round finds one of the three closed.
  EXPECT_GE(first.connections() + second.connections() + third.connections(), 3 + 3);
}

TEST(CurlTransport, StoppingCancelsWhatIsOnItsWay) {
  Receiver receiver([](Peer& peer) { peer.wait_for_end(); });
  Sender sender;
  std::vector<std::future<ports::WebhookAnswer>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(sender.send(receiver.url()));
  while (receiver.connections() < 1) std::this_thread::yield();
  sender.transport.stop();
  answers.push_back(sender.send(receiver.url()));
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    const auto ended = answer.get();
    EXPECT_EQ(ended.failure, TransportFailure::cancelled);
    EXPECT_EQ(ended.started_at, sender.clock.now());
  }
  sender.transport.stop();
}

TEST(CurlTransport, NothingIsSentBeforeTheStart) {
  fakes::FakeClock clock;
  CurlTransport transport(clock, loopback_options());
  TransportFailure failure = TransportFailure::none;
  transport.send({"http://127.0.0.1:9/", {}, std::make_shared<const std::string>()},
                 [&](const ports::WebhookAnswer& answer) { failure = answer.failure; });
  EXPECT_EQ(failure, TransportFailure::none);
  transport.stop();
  EXPECT_EQ(failure, TransportFailure::cancelled);
}

}  // namespace
}  // namespace fluxora::outbound::test
