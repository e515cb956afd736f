#include "fluxora/telemetry/span_exporter.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "fake_log.hpp"
#include "fake_random.hpp"
#include "fake_transport.hpp"

namespace fluxora::telemetry::test {
namespace {

using Kind = ExportOutcome::Kind;
using namespace std::chrono_literals;

// Longer than any test takes: what ends because of it is broken.
constexpr auto long_time = 60s;

class SpanExporterTest : public ::testing::Test {
 protected:
  SpanExporterTest() {
    options_.resource = {"payments", "1.2.3", "instance"};
    options_.delay = 0ms;
    options_.first_backoff = 1ms;
    options_.longest_backoff = 2ms;
  }

  SpanExporter& exporter() {
    if (!exporter_) {
      exporter_ = std::make_unique<SpanExporter>(options_, std::make_unique<FakeTransport>(collector_), random_, log_);
    }
    return *exporter_;
  }
  static FinishedSpan span(const std::string& name) {
    FinishedSpan span;
    span.context.trace[0] = 1;
    span.context.span[0] = 2;
    span.context.sampled = true;
    span.name = name;
    return span;
  }
  /// Exported, dropped, failed.
  std::string counts() {
    const SpanExporterStatistics now = exporter().statistics();
    return std::to_string(now.exported) + " " + std::to_string(now.dropped) + " " + std::to_string(now.failed);
  }

  SpanExporterOptions options_;
  Collector collector_;
  FakeRandom random_;
  fakes::FakeLog log_;
  std::unique_ptr<SpanExporter> exporter_;
};

TEST_F(SpanExporterTest, WritesEveryFieldAsOtlpHasIt) {
  FinishedSpan whole = span("GET /x");
  whole.context.state = "vendor=1";
  whole.parent = SpanId{3};
  whole.kind = ports::SpanKind::server;
  whole.start_ns = 1'800'000'000'123'456'789;
  whole.end_ns = 1'800'000'000'123'456'999;
  whole.attributes = {{"text", "a\"b"}, {"number", std::int64_t{200}}};
  whole.failed = true;
  exporter().add(whole);
  exporter().stop(long_time);

  const auto sent = nlohmann::json::parse(collector_.bodies().at(0))["resourceSpans"][0];
  EXPECT_EQ(sent["resource"]["attributes"][0],
            nlohmann::json::parse(R"({"key":"service.name","value":{"stringValue":"payments"}})"));
  EXPECT_EQ(sent["scopeSpans"][0]["scope"]["version"], "1.2.3");
  EXPECT_EQ(sent["scopeSpans"][0]["spans"][0], nlohmann::json::parse(R"({
    "traceId": "01000000000000000000000000000000", "spanId": "0200000000000000", "traceState": "vendor=1",
    "parentSpanId": "0300000000000000", "flags": 1, "name": "GET /x", "kind": 2,
    "startTimeUnixNano": "1800000000123456789", "endTimeUnixNano": "1800000000123456999",
    "attributes": [{"key": "text", "value": {"stringValue": "a\"b"}}, {"key": "number", "value": {"intValue": "200"}}],
    "status": {"code": 2}})"));
}

TEST_F(SpanExporterTest, SendsBatchesOfAtMostSoManyInOrder) {
  options_.batch = 3;
  collector_.hang();
  for (int i = 0; i < 8; ++i) exporter().add(span(std::to_string(i)));
  collector_.let_go();
  exporter().stop(long_time);
  std::string order;
  for (const auto& sent : collector_.spans()) order += sent["name"].get<std::string>();
  EXPECT_EQ(order, "01234567");
  EXPECT_GE(collector_.bodies().size(), 3u);
  EXPECT_EQ(counts(), "8 0 0");
}

TEST_F(SpanExporterTest, DropsAndCountsWhatFindsTheQueueFull) {
  options_.queue_limit = 4;
  collector_.hang();
  exporter().add(span("on its way"));
  collector_.wait_for_sends(1);
  for (int i = 0; i < 10; ++i) exporter().add(span("waiting or dropped"));
  EXPECT_EQ(exporter().statistics().waiting, 4u);
  EXPECT_EQ(counts(), "0 6 0");
  collector_.let_go();
  exporter().stop(long_time);
  EXPECT_EQ(counts(), "5 6 0");
}

TEST_F(SpanExporterTest, TriesAgainWhatMayGoBetterLaterAndOnlySoOften) {
  const ExportOutcome later{Kind::try_again, 0, {}, "HTTP 503"};
  collector_.say({later, later});
  exporter().add(span("patient"));
  collector_.wait_for_sends(3);
  exporter().stop(long_time);
  EXPECT_EQ(collector_.bodies().size(), 3u);
  EXPECT_EQ(counts(), "1 0 0");
  EXPECT_EQ(log_.lines("trace_export_failed").size(), 1u);
  EXPECT_EQ(log_.lines("trace_export_recovered").size(), 1u);
}

TEST_F(SpanExporterTest, GivesUpAfterTheLastAttempt) {
  options_.attempts = 3;
  const ExportOutcome later{Kind::try_again, 0, {}, "HTTP 503"};
  collector_.say({later, later, later});
  exporter().add(span("lost"));
  collector_.wait_for_sends(3);
  exporter().add(span("after it"));
  exporter().stop(long_time);
  EXPECT_EQ(collector_.bodies().size(), 4u);
  EXPECT_EQ(counts(), "1 0 1");
}

TEST_F(SpanExporterTest, DoesNotTryAgainWhatWasRefused) {
  collector_.say({{Kind::refused, 0, {}, "HTTP 400"}});
  exporter().add(span("refused"));
  exporter().stop(long_time);
  EXPECT_EQ(collector_.bodies().size(), 1u);
  EXPECT_EQ(counts(), "0 0 1");
  EXPECT_EQ(log_.lines("trace_export_failed").at(0).message, "HTTP 400");
}

TEST_F(SpanExporterTest, CountsWhatTheCollectorTookOnlyInPart) {
  options_.delay = long_time;
  collector_.say({{Kind::accepted, 2, {}, "the collector rejected spans"}});
  for (int i = 0; i < 3; ++i) exporter().add(span("one of three"));
  exporter().stop(long_time);
  EXPECT_EQ(counts(), "1 0 2");
}

TEST_F(SpanExporterTest, DropsTheRestWhenTheGraceIsOver) {
  collector_.hang();
  exporter().add(span("on its way"));
  collector_.wait_for_sends(1);
  exporter().add(span("waiting"));
  exporter().stop(0ms);
  exporter().add(span("too late"));
  EXPECT_EQ(collector_.bodies().size(), 1u);
  EXPECT_EQ(counts(), "0 2 1");
}

}  // namespace
}  // namespace fluxora::telemetry::test
