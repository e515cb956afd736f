#include "child_process.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fluxora/ops/backup.hpp"
#include "temporary_folder.hpp"

namespace fluxora::ops {
namespace {

const std::function<bool()> never = [] { return false; };

ChildSetup shell(const std::string& lines, bool has_input = false) {
  ChildSetup setup;
  setup.program = "/bin/sh";
  setup.arguments = {"-c", lines};
  setup.environment = {"PATH=/usr/bin:/bin"};
  setup.has_input = has_input;
  return setup;
}

class ChildProcessTest : public testing::Test {
 protected:
  ChildProcessTest() { std::signal(SIGPIPE, SIG_IGN); }

  std::string output_;
  const ChildProcess::Take take_ = [this](std::string_view text) { output_ += text; };
};

TEST_F(ChildProcessTest, HandsOnWhatItWritesAndHowItEnds) {
  ChildProcess child(shell("echo hello; echo oops >&2; exit 7"), never);
  EXPECT_EQ(child.finish(take_), 7);
  EXPECT_EQ(output_, "hello\n");
  EXPECT_EQ(child.complaint(), "oops");
}

TEST_F(ChildProcessTest, PassesArgumentsAsTheyAre) {
  ChildSetup setup;
  setup.program = "/usr/bin/printf";
  setup.arguments = {"%s|", "$(id)", "a b", "`x`", ";", "*"};
  ChildProcess child(std::move(setup), never);
  EXPECT_EQ(child.finish(take_), 0);
  EXPECT_EQ(output_, "$(id)|a b|`x`|;|*|");
}

TEST_F(ChildProcessTest, HasNoEnvironmentButTheOneThatItIsGiven) {
  ::setenv("FLUXORA_TEST_SECRET", "hidden", 1);
  ChildSetup setup;
  setup.program = "/usr/bin/env";
  setup.environment = {"ONLY=this"};
  ChildProcess child(std::move(setup), never);
  EXPECT_EQ(child.finish(take_), 0);
  EXPECT_EQ(output_, "ONLY=this\n");
  ::unsetenv("FLUXORA_TEST_SECRET");
}

TEST_F(ChildProcessTest, FeedsMoreThanPipesHoldWhileItReadsTheAnswer) {
  ChildProcess child(shell("cat", true), never);
  const std::string part(1'000'000, 'x');
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(child.feed(part, take_));
  EXPECT_EQ(child.finish(take_), 0);
  EXPECT_EQ(output_.size(), 5 * part.size());
}

TEST_F(ChildProcessTest, SaysWhenNobodyReadsAnyMore) {
  ChildProcess child(shell("exec <&-; echo enough >&2; exit 3", true), never);
  const std::string part(1'000'000, 'x');
  EXPECT_FALSE(child.feed(part, take_));
  EXPECT_EQ(child.finish(take_), 3);
  EXPECT_EQ(child.complaint(), "enough");
}

TEST_F(ChildProcessTest, KeepsTheEndOfEndlessComplaints) {
  ChildProcess child(
      shell("i=0; while [ $i -lt 20000 ]; do echo 'a line of some length that says nothing' >&2; i=$((i+1)); done;"
            " printf 'the\\033[31m last\\n' >&2; exit 1"),
      never);
  EXPECT_EQ(child.finish(take_), 1);
  const std::string complaint = child.complaint();
  EXPECT_LE(complaint.size(), 4'096U);
  EXPECT_EQ(complaint.substr(complaint.size() - 13), "the [31m last");
}

TEST_F(ChildProcessTest, StopsWaitingForOneThatHangs) {
  int looks = 0;
  const auto soon = [&looks] { return ++looks > 3; };
  {
    ChildProcess child(shell("exec sleep 1000"), soon);
    EXPECT_THROW(child.finish(take_), Stopped);
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "nothing of it is left";
}

TEST_F(ChildProcessTest, KillsOneThatDoesNotHeedTheInterrupt) {
  int looks = 0;
  const auto soon = [this, &looks] { return !output_.empty() && ++looks > 3; };
  {
    ChildSetup setup = shell("trap '' INT TERM; echo ready; exec sleep 1000");
    setup.grace = std::chrono::milliseconds(50);
    ChildProcess child(std::move(setup), soon);
    EXPECT_THROW(child.finish(take_), Stopped);
    EXPECT_EQ(output_, "ready\n");
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ChildProcessTest, TellsASignalFromAnExitCode) {
  ChildProcess child(shell("kill -9 $$"), never);
  EXPECT_EQ(child.finish(take_), 128 + SIGKILL);
}

TEST_F(ChildProcessTest, GivesItSignalsAsTheyUsuallyAre) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  ChildProcess child(shell("kill -TERM $$; echo still there"), never);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(child.finish(take_), 128 + SIGTERM);
  EXPECT_EQ(output_, "");
}

TEST_F(ChildProcessTest, ShowsItAFileThatHasNoName) {
  ChildSetup setup = shell("cat /proc/self/fd/3; tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$$/environ");
  setup.kept_file = "password=hunter2\n";
  ChildProcess child(std::move(setup), never);
  EXPECT_EQ(child.finish(take_), 0);
  EXPECT_EQ(output_.find("password=hunter2\n"), 0U);
  EXPECT_EQ(output_.find("hunter2", 17), std::string::npos) << "neither arguments nor environment say it";
}

TEST_F(ChildProcessTest, SaysWhichProgramIsMissing) {
  ChildSetup setup;
  setup.program = "/nowhere/pg_dump";
  try {
    ChildProcess child(std::move(setup), never);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "/nowhere/pg_dump can't be started.");
    EXPECT_EQ(failure.detail(), "No such file or directory");
  }
}

}  // namespace
}  // namespace fluxora::ops
