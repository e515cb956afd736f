#include "fluxora/telemetry/trace_context.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::telemetry {
namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string span = "00f067aa0ba902b7";

struct Case {
  std::string what;
  std::string text;
  bool good;
  bool sampled = false;
};

TEST(TraceContext, ReadsTraceparentAsTheRecommendationHasIt) {
  const std::vector<Case> cases = {
      {"sampled", "00-" + trace + "-" + span + "-01", true, true},
      {"not sampled", "00-" + trace + "-" + span + "-00", true, false},
      {"flags that it doesn't know", "00-" + trace + "-" + span + "-fe", true, false},
      {"all flags", "00-" + trace + "-" + span + "-ff", true, true},
      {"a higher version", "cc-" + trace + "-" + span + "-01", true, true},
      {"a higher version that goes on", "cc-" + trace + "-" + span + "-01-what-comes", true, true},
      {"a higher version that goes on without a dash", "cc-" + trace + "-" + span + "-01what", false},
      {"version 00 that goes on", "00-" + trace + "-" + span + "-01-more", false},
      {"version ff", "ff-" + trace + "-" + span + "-01", false},
      {"a trace id of zeros", "00-" + std::string(32, '0') + "-" + span + "-01", false},
      {"a span id of zeros", "00-" + trace + "-" + std::string(16, '0') + "-01", false},
      {"capitals in the trace id", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01", false},
      {"capitals in the span id", "00-" + trace + "-00F067AA0BA902B7-01", false},
      {"capitals in the version", "CC-" + trace + "-" + span + "-01", false},
      {"a character that is no digit", "00-" + trace.substr(1) + "g-" + span + "-01", false},
      {"a short trace id", "00-" + trace.substr(1) + "-" + span + "-01", false},
      {"a long span id", "00-" + trace + "-" + span + "0-01", false},
      {"one digit of flags", "00-" + trace + "-" + span + "-1", false},
      {"other separators", "00_" + trace + "_" + span + "_01", false},
      {"a space in front", " 00-" + trace + "-" + span + "-01", false},
      {"nothing", "", false},
  };
  for (const Case& each : cases) {
    const auto context = parse_traceparent(each.text);
    EXPECT_EQ(context.has_value(), each.good) << each.what;
    if (!context) continue;
    EXPECT_EQ(context->sampled, each.sampled) << each.what;
    EXPECT_EQ(format_traceparent(*context), "00-" + trace + "-" + span + (each.sampled ? "-01" : "-00")) << each.what;
  }
}

TEST(TraceContext, TakesTheStateOfOtherVendorsAlong) {
  const std::string parent = "00-" + trace + "-" + span + "-01";
  EXPECT_EQ(read_trace_context({{"TraceParent", parent}})->state, "");
  EXPECT_EQ(read_trace_context({{"tracestate", "a=1"}, {"traceparent", parent}, {"tracestate", "b=2"}})->state,
            "a=1,b=2");
  EXPECT_EQ(read_trace_context({{"traceparent", parent}, {"tracestate", "a=\x01"}})->state, "");
  const std::string longest(max_trace_state, 'a');
  EXPECT_EQ(read_trace_context({{"traceparent", parent}, {"tracestate", longest}})->state, longest);
  EXPECT_EQ(read_trace_context({{"traceparent", parent}, {"tracestate", longest + "a"}})->state, "");
}

TEST(TraceContext, HasNoneWithoutOneGoodTraceparent) {
  const std::string parent = "00-" + trace + "-" + span + "-01";
  EXPECT_FALSE(read_trace_context({}));
  EXPECT_FALSE(read_trace_context({{"tracestate", "a=1"}}));
  EXPECT_FALSE(read_trace_context({{"traceparent", "00-nonsense"}}));
  EXPECT_FALSE(read_trace_context({{"traceparent", parent}, {"traceparent", parent}}));
}

}  // namespace
}  // namespace fluxora::telemetry
