#include "script_head.hpp"

#include <gtest/gtest.h>

namespace fluxora::ops {
namespace {

const std::string begins = "-- PostgreSQL database dump\nSET lock_timeout = 0;\n";
const std::string setting = "SET transaction_timeout = 0;\n";
const std::string goes_on = "SET client_encoding = 'UTF8';\n";

/// What comes of a script that comes in pieces of so many bytes.
std::string passed(int server_major, const std::string& script, std::size_t step) {
  std::string text;
  ScriptHead head(server_major, [&text](std::string_view piece) { text += piece; });
  for (std::size_t at = 0; at < script.size(); at += step) head.take(std::string_view(script).substr(at, step));
  head.finish();
  return text;
}

TEST(ScriptHead, LeavesOutWhatAnOlderServerDoesNotKnow) {
  const std::string rows(100'000, 'x');
  for (const std::string& rest : {goes_on, goes_on + rows}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{64}, std::size_t{65'536}}) {
      EXPECT_EQ(passed(16, begins + setting + rest, step), begins + rest);
      EXPECT_EQ(passed(17, begins + setting + rest, step), begins + setting + rest);
      EXPECT_EQ(passed(15, begins + rest, step), begins + rest) << "an older pg_restore's";
    }
  }
  EXPECT_EQ(passed(15, "", 1), "");
}

TEST(ScriptHead, LeavesRowsAsTheyAre) {
  const std::string script = begins + std::string(10'000, 'x') + "\n" + setting;
  EXPECT_EQ(passed(15, script, 65'536), script);
}

}  // namespace
}  // namespace fluxora::ops
