#include "fluxora/telemetry/tracer.hpp"

#include <map>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fake_random.hpp"
#include "fake_transport.hpp"

namespace fluxora::telemetry::test {
namespace {

using namespace std::chrono_literals;

const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent_id = "00f067aa0ba902b7";

class TracerTest : public ::testing::Test {
 protected:
  Tracer& tracer(std::uint32_t share = whole_share) {
    tracer_ = std::make_unique<Tracer>(&exporter_, share, clock_, random_);
    return *tracer_;
  }
  std::optional<TracedRequest> record(Tracer& tracer, unsigned status = 200) {
    served_.status = status;
    traceparent_ = tracer.begin_request(headers_, caller_is_trusted_);
    served_.traceparent = traceparent_;
    return tracer.record_request(headers_, served_);
  }
  std::vector<nlohmann::json> exported() {
    exporter_.stop(60s);
    return collector_.spans();
  }
  static std::map<std::string, nlohmann::json> attributes(const nlohmann::json& span) {
    std::map<std::string, nlohmann::json> all;
    for (const auto& attribute : span["attributes"]) all[attribute["key"]] = *attribute["value"].begin();
    return all;
  }

  fakes::FakeClock clock_{1'800'000'000'000};
  fakes::FakeLog log_;
  FakeRandom random_;
  Collector collector_;
  SpanExporter exporter_{{}, std::make_unique<FakeTransport>(collector_), random_, log_};
  std::unique_ptr<Tracer> tracer_;
  net::HeaderFields headers_;
  ServedRequest served_{"GET", "/api/streams/7", "r-1", "192.0.2.1", "/api/streams/{id}", {}, 200, 1'500us, false};
  std::string traceparent_;
  bool caller_is_trusted_ = true;
};

TEST_F(TracerTest, ContinuesTheCallersTrace) {
  headers_ = {{"traceparent", "00-" + trace_id + "-" + parent_id + "-01"}, {"tracestate", "vendor=1"}};
  const auto traced = record(tracer());
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0]["traceId"], trace_id);
  EXPECT_EQ(spans[0]["parentSpanId"], parent_id);
  EXPECT_EQ(spans[0]["traceState"], "vendor=1");
  EXPECT_EQ(spans[0]["name"], "GET /api/streams/{id}");
  EXPECT_EQ(spans[0]["kind"], 2);
  EXPECT_EQ(spans[0]["startTimeUnixNano"], "1799999999998500000");
  EXPECT_EQ(spans[0]["endTimeUnixNano"], "1800000000000000000");
  EXPECT_EQ(spans[0]["status"], nlohmann::json::object());
  EXPECT_EQ(traced->trace_id, trace_id);
  EXPECT_EQ(traced->span_id, spans[0]["spanId"]);
  const auto said = attributes(spans[0]);
  EXPECT_EQ(said.at("http.request.method"), "GET");
  EXPECT_EQ(said.at("http.route"), "/api/streams/{id}");
  EXPECT_EQ(said.at("url.path"), "/api/streams/7");
  EXPECT_EQ(said.at("http.response.status_code"), "200");
  EXPECT_EQ(said.at("client.address"), "192.0.2.1");
  EXPECT_EQ(said.at("fluxora.request_id"), "r-1");
  EXPECT_EQ(said.count("error.type"), 0u);
}

TEST_F(TracerTest, LeavesToATrustedCallerWhetherItsTraceIsRecorded) {
  headers_ = {{"traceparent", "00-" + trace_id + "-" + parent_id + "-00"}};
  const auto traced = record(tracer());
  EXPECT_EQ(traced->trace_id, trace_id);
  EXPECT_EQ(traced->span_id, "");
  headers_ = {{"traceparent", "00-" + trace_id + "-" + parent_id + "-01"}};
  record(tracer(0));
  EXPECT_EQ(exported().size(), 1u);
}

TEST_F(TracerTest, DecidesItselfAboutTheTracesOfStrangers) {
  caller_is_trusted_ = false;
  // Whatever the flag and the trace id say: both are the stranger's to choose.
  for (const std::string flags : {"-00", "-01"}) {
    for (const std::string& trace : {trace_id, std::string(31, '0') + "1"}) {
      headers_ = {{"traceparent", "00-" + trace + "-" + parent_id + flags}};
      EXPECT_EQ(record(tracer(0))->span_id, "") << flags;
      EXPECT_EQ(record(tracer(whole_share))->trace_id, trace) << "the id is kept";
    }
  }
  random_.counting = false;
  headers_ = {{"traceparent", "00-" + trace_id + "-" + parent_id + "-01"}};
  random_.next = 0x7f;
  EXPECT_NE(record(tracer(whole_share / 2))->span_id, "");
  random_.next = 0x80;
  EXPECT_EQ(record(tracer(whole_share / 2))->span_id, "");
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 5u);
  for (const auto& span : spans) EXPECT_EQ(span["parentSpanId"], parent_id);
}

TEST_F(TracerTest, CutsLongAttributesBetweenCharacters) {
  const std::string path = "/" + std::string(max_attribute_bytes - 2, 'a') + "\xc3\xa4" + std::string(100, 'b');
  const std::string method(5'000, 'M');
  served_.path = path;
  served_.method = method;
  record(tracer());
  tracer_->start(ports::SpanKind::internal, "batch")->set("long", method);
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(attributes(spans[0]).at("url.path"), path.substr(0, max_attribute_bytes - 1));
  EXPECT_EQ(attributes(spans[0]).at("http.request.method_original"), method.substr(0, max_attribute_bytes));
  EXPECT_EQ(attributes(spans[1]).at("long"), method.substr(0, max_attribute_bytes));
}

TEST_F(TracerTest, ShowsWhatWasAborted) {
  served_.aborted = true;
  record(tracer(), 0);
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0]["status"]["code"], 2);
  EXPECT_EQ(attributes(spans[0]).at("error.type"), "aborted");
  EXPECT_EQ(attributes(spans[0]).count("http.response.status_code"), 0u);
}

TEST_F(TracerTest, MarksServerErrorsAndNotTheCallers) {
  record(tracer(), 503);
  record(tracer(), 404);
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0]["status"]["code"], 2);
  EXPECT_EQ(attributes(spans[0]).at("error.type"), "503");
  EXPECT_EQ(spans[1]["status"], nlohmann::json::object());
  EXPECT_FALSE(spans[0].contains("parentSpanId"));
  EXPECT_NE(spans[0]["traceId"], spans[1]["traceId"]);
}

TEST_F(TracerTest, NamesMethodsThatNobodyKnowsAlike) {
  served_.method = "BREW";
  served_.route = "";
  record(tracer(), 404);
  const auto spans = exported();
  EXPECT_EQ(spans.at(0)["name"], "HTTP");
  EXPECT_EQ(attributes(spans[0]).at("http.request.method"), "_OTHER");
  EXPECT_EQ(attributes(spans[0]).at("http.request.method_original"), "BREW");
  EXPECT_EQ(attributes(spans[0]).count("http.route"), 0u);
}

TEST_F(TracerTest, RecordsItsShareByTheTraceId) {
  random_.counting = false;
  random_.next = 0x7f;  // just below half of what the random part can be
  record(tracer(whole_share / 2));
  random_.next = 0x80;
  record(tracer(whole_share / 2));
  EXPECT_FALSE(record(tracer(0)));
  random_.next = 0xff;
  record(tracer(whole_share));
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0]["traceId"], std::string("7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f"));
  EXPECT_EQ(spans[1]["traceId"], std::string(32, 'f'));
}

TEST_F(TracerTest, NestsSpansOnTheirThread) {
  Tracer& tracing = tracer();
  EXPECT_EQ(tracing.start_part(ports::SpanKind::client, "of nothing"), nullptr);
  std::string sent;
  {
    const auto batch = tracing.start(ports::SpanKind::internal, "batch");
    {
      const auto call = tracing.start_part(ports::SpanKind::client, "getEvents");
      sent = call->traceparent();
      call->fail("unreachable");
      clock_.advance(3ms);
    }
    batch->set("events", 2);
  }
  EXPECT_EQ(tracing.start_part(ports::SpanKind::client, "after it"), nullptr);
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 2u);
  const auto& call = spans[0];
  const auto& batch = spans[1];
  EXPECT_EQ(call["name"], "getEvents");
  EXPECT_EQ(call["kind"], 3);
  EXPECT_EQ(call["parentSpanId"], batch["spanId"]);
  EXPECT_EQ(call["traceId"], batch["traceId"]);
  EXPECT_EQ(call["status"]["code"], 2);
  EXPECT_EQ(attributes(call).at("error.type"), "unreachable");
  EXPECT_EQ(sent, "00-" + call["traceId"].get<std::string>() + "-" + call["spanId"].get<std::string>() + "-01");
  EXPECT_FALSE(batch.contains("parentSpanId"));
  EXPECT_EQ(batch["endTimeUnixNano"], "1800000000003000000");
  EXPECT_EQ(attributes(batch).at("events"), "2");
}

TEST_F(TracerTest, LetsDetachedSpansOverlapAndEndOnAnyThread) {
  Tracer& tracing = tracer();
  auto first = tracing.start_detached(ports::SpanKind::client, "first", "");
  auto second = tracing.start_detached(ports::SpanKind::client, "second", "no traceparent");
  EXPECT_EQ(tracing.start_part(ports::SpanKind::client, "of neither"), nullptr);
  std::thread([ended = std::move(first)]() mutable { ended.reset(); }).join();
  clock_.advance(3ms);
  second.reset();
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0]["name"], "first");
  EXPECT_EQ(spans[0]["endTimeUnixNano"], "1800000000000000000");
  EXPECT_EQ(spans[1]["endTimeUnixNano"], "1800000000003000000");
  EXPECT_NE(spans[0]["traceId"], spans[1]["traceId"]);
  for (const auto& span : spans) EXPECT_FALSE(span.contains("parentSpanId"));
}

TEST_F(TracerTest, GoesOnWithARequestsTraceAfterItsEnd) {
  headers_ = {{"traceparent", "00-" + trace_id + "-" + parent_id + "-01"}};
  Tracer& tracing = tracer();
  const auto request = record(tracing);
  tracing.start_detached(ports::SpanKind::client, "attempt", traceparent_).reset();
  EXPECT_EQ(tracing.start_detached(ports::SpanKind::client, "attempt", traceparent_.substr(0, 53) + "00"), nullptr)
      << "what isn't recorded has no recorded parts";
  const auto spans = exported();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[1]["traceId"], trace_id);
  EXPECT_EQ(spans[1]["parentSpanId"], request->span_id);
}

TEST_F(TracerTest, MakesNothingWithoutAnExporter) {
  Tracer off(nullptr, whole_share, clock_, random_);
  EXPECT_EQ(off.start(ports::SpanKind::internal, "batch"), nullptr);
  EXPECT_EQ(off.start_detached(ports::SpanKind::client, "attempt", ""), nullptr);
  const std::string recorded = "00-" + trace_id + "-" + parent_id + "-01";
  EXPECT_EQ(off.start_detached(ports::SpanKind::client, "attempt", recorded), nullptr);
  EXPECT_FALSE(record(off));
  headers_ = {{"traceparent", "00-" + trace_id + "-" + parent_id + "-01"}};
  EXPECT_EQ(record(off)->trace_id, trace_id);
  EXPECT_EQ(record(off)->span_id, "");
}

}  // namespace
}  // namespace fluxora::telemetry::test
