#include "json_log.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <future>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_clock.hpp"

namespace fluxora::app {
namespace {

using Json = nlohmann::json;
using ports::LogField;
using ports::LogLevel;

/// What `work` logs, to the end.
std::string written(const ports::Clock& clock, LogLevel least, const std::function<void(JsonLog&)>& work) {
  std::FILE* const file = std::tmpfile();
  EXPECT_NE(file, nullptr);
  {
    JsonLog log(least, clock, fileno(file));
    work(log);
  }
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

/// Each line as JSON; one that isn't fails the test.
std::vector<Json> lines(const std::string& text) {
  std::vector<Json> all;
  EXPECT_TRUE(text.empty() || text.back() == '\n') << "an unfinished line";
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = text.find('\n', from);
    const std::string line = text.substr(from, to - from);
    all.push_back(Json::parse(line, nullptr, /*allow_exceptions=*/false));
    EXPECT_TRUE(all.back().is_object()) << line;
    from = to + 1;
  }
  return all;
}

class JsonLogTest : public ::testing::Test {
 protected:
  std::string text_of(LogLevel level, std::string_view event, std::string_view message,
                      std::initializer_list<LogField> fields) {
    return written(clock_, LogLevel::debug, [&](JsonLog& log) { log.write(level, event, message, fields); });
  }

  fakes::FakeClock clock_{1'774'776'687'042};
};

TEST_F(JsonLogTest, ALine) {
  EXPECT_EQ(
      text_of(LogLevel::info, "request", "done", {{"path", "/health"}, {"status", 200u}, {"delta", -5}, {"ok", true}}),
      R"({"time":"2026-03-29T09:31:27.042Z","level":"info","event":"request","message":"done",)"
      R"("path":"/health","status":200,"delta":-5,"ok":true})"
      "\n");
}

TEST_F(JsonLogTest, WithoutAMessageAndFields) {
  EXPECT_EQ(text_of(LogLevel::warn, "stopped", "", {}),
            R"({"time":"2026-03-29T09:31:27.042Z","level":"warn","event":"stopped"})"
            "\n");
}

TEST_F(JsonLogTest, EveryLevelHasItsName) {
  for (const auto& [level, name] : {std::pair{LogLevel::debug, "debug"}, std::pair{LogLevel::info, "info"},
                                    std::pair{LogLevel::warn, "warn"}, std::pair{LogLevel::error, "error"}}) {
    EXPECT_EQ(lines(text_of(level, "x", "", {}))[0]["level"], name);
  }
}

TEST_F(JsonLogTest, WhateverIsLoggedOneValidLineComes) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  const std::string hostile[] = {"",
                                 "\"}\n{\"level\":\"error\"",
                                 "a\r\nb\tc\\d\"e",
                                 std::string("nul\0inside", 10),
                                 "\x7f\x1b[31m",
                                 "\xff\xfe broken utf-8 \xc3",
                                 "\xe2\x80\xa8 line separator",
                                 every_byte,
                                 std::string(100'000, '"')};
  for (const std::string& text : hostile) {
    const auto parsed = lines(text_of(LogLevel::info, text, text, {{"field", text}, {text, text}}));
    ASSERT_EQ(parsed.size(), 1u) << text;
    EXPECT_TRUE(parsed[0]["field"].is_string());
  }
  const auto parsed = lines(text_of(LogLevel::info, "x", hostile[1], {{"field", hostile[3]}}));
  EXPECT_EQ(parsed[0]["message"], hostile[1]);
  EXPECT_EQ(parsed[0]["field"], hostile[3]);
}

TEST_F(JsonLogTest, NumbersAreWhole) {
  const auto parsed = lines(text_of(LogLevel::info, "x", "",
                                    {{"least", std::numeric_limits<std::int64_t>::min()},
                                     {"most", std::numeric_limits<std::uint64_t>::max()},
                                     {"no", false}}));
  EXPECT_EQ(parsed[0]["least"], std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parsed[0]["most"], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parsed[0]["no"], false);
}

TEST_F(JsonLogTest, JsonStaysJson) {
  const auto parsed = lines(text_of(LogLevel::info, "x", "", {{"metrics", LogField::Json{R"({"a":[1,2]})"}}}));
  EXPECT_EQ(parsed[0]["metrics"], (Json{{"a", {1, 2}}}));
}

TEST_F(JsonLogTest, WhatIsBelowTheLevelIsLeftOut) {
  const auto parsed = lines(written(clock_, LogLevel::warn, [](JsonLog& log) {
    log.write(LogLevel::debug, "a", "", {});
    log.info("b", "");
    log.warn("c", "");
    log.error("d", "");
  }));
  ASSERT_EQ(parsed.size(), 2u);
  EXPECT_EQ(parsed[0]["event"], "c");
  EXPECT_EQ(parsed[1]["event"], "d");
}

TEST_F(JsonLogTest, LinesOfSeveralThreadsDoNotMix) {
  constexpr int threads = 4;
  constexpr int each = 250;
  const auto parsed = lines(written(clock_, LogLevel::info, [&](JsonLog& log) {
    std::vector<std::thread> writers;
    for (int i = 0; i < threads; ++i) {
      writers.emplace_back([&, i] {
        for (int n = 0; n < each; ++n) log.info("x", std::string(200, 'm'), {{"writer", i}, {"n", n}});
      });
    }
    for (std::thread& writer : writers) writer.join();
  }));
  EXPECT_EQ(parsed.size(), std::size_t{threads * each});
  std::vector<int> next(threads, 0);
  for (const Json& line : parsed) EXPECT_EQ(line["n"], next[line["writer"].get<std::size_t>()]++);
}

/// A pipe's two ends.
struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends.data()), 0); }
  ~Pipe() { close(ends[0]); }
  /// Everything up to its end, or what comes first.
  [[nodiscard]] std::string read_some() const {
    std::string text(64 * 1024, '\0');
    const ssize_t size = read(ends[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }
  std::array<int, 2> ends{};
};

TEST_F(JsonLogTest, LinesComeWhileTheLogLives) {
  const Pipe pipe;
  {
    JsonLog log(LogLevel::info, clock_, pipe.ends[1]);
    for (const LogLevel level : {LogLevel::info, LogLevel::error, LogLevel::info}) {
      log.write(level, "x", "", {});
      EXPECT_EQ(lines(pipe.read_some()).size(), 1u);
    }
  }
  close(pipe.ends[1]);
}

TEST_F(JsonLogTest, WhereNobodyReadsNobodyWaitsAndTheLostLinesAreCounted) {
  const Pipe pipe;
  constexpr std::uint64_t all = 4'000;
  std::string text;
  std::thread reader;
  {
    JsonLog log(LogLevel::info, clock_, pipe.ends[1]);
    for (std::uint64_t n = 0; n < all; ++n) log.info("x", std::string(1'000, 'm'), {{"n", n}});
    reader = std::thread([&] {
      for (std::string piece = pipe.read_some(); !piece.empty(); piece = pipe.read_some()) text += piece;
    });
  }
  close(pipe.ends[1]);
  reader.join();

  std::uint64_t expected = 0;
  bool dropped = false;
  for (const Json& line : lines(text)) {
    if (line["event"] == "log_lines_dropped") {
      EXPECT_EQ(line["level"], "warn");
      expected += line["count"].get<std::uint64_t>();
      dropped = true;
    } else {
      EXPECT_EQ(line["n"], expected++);
    }
  }
  EXPECT_EQ(expected, all);
  EXPECT_TRUE(dropped);
}

/// Fills the pipe, and gives how much that took.
std::size_t fill(const Pipe& pipe) {
  const int flags = fcntl(pipe.ends[1], F_GETFL);
  fcntl(pipe.ends[1], F_SETFL, flags | O_NONBLOCK);
  std::size_t filled = 0;
  for (const std::string block(4096, 'f'); write(pipe.ends[1], block.data(), block.size()) > 0;) filled += block.size();
  fcntl(pipe.ends[1], F_SETFL, flags);
  return filled;
}

TEST_F(JsonLogTest, EndsWhereNobodyEverReads) {
  const Pipe pipe;
  fill(pipe);
  std::promise<void> ended;
  std::thread service([&] {
    {
      JsonLog log(LogLevel::info, clock_, pipe.ends[1]);
      for (int n = 0; n < 1'000; ++n) log.info("x", std::string(1'000, 'm'));
    }
    ended.set_value();
  });
  const bool in_time = ended.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  EXPECT_TRUE(in_time);
  close(pipe.ends[0]);  // lets a writer go that hangs
  service.join();
  close(pipe.ends[1]);
}

TEST_F(JsonLogTest, WaitsForADescriptorThatDoesNotBlock) {
  const Pipe pipe;
  const std::size_t filled = fill(pipe);
  fcntl(pipe.ends[1], F_SETFL, fcntl(pipe.ends[1], F_GETFL) | O_NONBLOCK);
  std::string text;
  std::thread reader;
  {
    JsonLog log(LogLevel::info, clock_, pipe.ends[1]);
    for (int n = 0; n < 500; ++n) log.info("x", std::string(1'000, 'm'), {{"n", n}});
    reader = std::thread([&] {
      for (std::string piece = pipe.read_some(); !piece.empty(); piece = pipe.read_some()) text += piece;
    });
  }
  close(pipe.ends[1]);
  reader.join();
  int next = 0;
  for (const Json& line : lines(text.substr(filled))) EXPECT_EQ(line["n"], next++);
  EXPECT_EQ(next, 500);
}

/// No file of this process grows beyond `bytes` while it lives: writes are cut there, and fail behind it.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(JsonLogTest, LinesThatAFailedWriteLosesAreCountedBehindTheOneThatItCut) {
  constexpr rlim_t room = 250;  // two lines and a part of the third
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  struct stat about{};
  const auto size = [&] {
    fstat(fileno(file), &about);
    return about.st_size;
  };
  {
    JsonLog log(LogLevel::info, clock_, fileno(file));
    {
      const FileSizeLimit limit(room);
      for (int n = 0; n < 5; ++n) log.info("x", "", {{"n", n}, {"fill", std::string(20, 'm')}});
      for (int waited = 0; size() < off_t{room} && waited < 10'000; ++waited)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      log.info("x", "", {{"n", 5}});
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for the writer, which may be slower: still right
    }
    log.info("x", "", {{"n", 6}});
  }
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  ASSERT_EQ(text[room], '\n') << text;
  const std::size_t cut = text.rfind('\n', room - 1) + 1;
  const auto before = lines(text.substr(0, cut));
  const auto after = lines(text.substr(room + 1));
  ASSERT_EQ(before.size(), 2u) << text;
  ASSERT_GE(after.size(), 2u) << text;
  EXPECT_EQ(after[0]["event"], "log_lines_dropped");
  EXPECT_EQ(after.back()["n"], 6);
  // Every line is there or counted.
  EXPECT_EQ(before.size() + after[0]["count"].get<std::size_t>() + (after.size() - 1), 7u) << text;
}

}  // namespace
}  // namespace fluxora::app
