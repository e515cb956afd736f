#include "fluxora/telemetry/request_metrics.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/telemetry/process_metrics.hpp"

namespace fluxora::telemetry {
namespace {

using namespace std::chrono_literals;

class RequestMetricsTest : public ::testing::Test {
 protected:
  static net::Router router() {
    net::Router router;
    const net::Handler handler = [](std::shared_ptr<const net::Request>, const net::Respond&) {};
    router.add("GET", "/things", handler);
    router.add("POST", "/things", handler);
    router.add("GET", "/things/{id}", handler);
    return router;
  }
  std::string text() const {
    MetricsPage page;
    metrics_.write(page);
    return page.text();
  }
  void expect_line(const std::string& line) const {
    EXPECT_NE(text().find(line + "\n"), std::string::npos) << line << "\nin\n" << text();
  }

  RequestMetrics metrics_{router()};
};

TEST_F(RequestMetricsTest, CountsByMethodRouteAndStatus) {
  metrics_.record("GET", "/things", 200, 1ms);
  metrics_.record("GET", "/things", 200, 1ms);
  metrics_.record("GET", "/things", 304, 1ms);
  metrics_.record("POST", "/things", 201, 1ms);
  expect_line("# TYPE fluxora_http_requests_total counter");
  expect_line(R"(fluxora_http_requests_total{method="GET",route="/things",status="200"} 2)");
  expect_line(R"(fluxora_http_requests_total{method="GET",route="/things",status="304"} 1)");
  expect_line(R"(fluxora_http_requests_total{method="POST",route="/things",status="201"} 1)");
  EXPECT_EQ(text().find("/things/{id}"), std::string::npos);
}

TEST_F(RequestMetricsTest, PutsDurationsIntoBucketsThatIncludeTheirBound) {
  metrics_.record("GET", "/things/{id}", 200, 100us);
  metrics_.record("GET", "/things/{id}", 200, 101us);
  metrics_.record("GET", "/things/{id}", 200, 11s);
  const std::string bucket = R"(fluxora_http_request_duration_seconds_bucket{route="/things/{id}",le=)";
  expect_line(bucket + R"("0.0001"} 1)");
  expect_line(bucket + R"("0.00025"} 2)");
  expect_line(bucket + R"("10"} 2)");
  expect_line(bucket + R"("+Inf"} 3)");
  expect_line(R"(fluxora_http_request_duration_seconds_count{route="/things/{id}"} 3)");
  expect_line(R"(fluxora_http_request_duration_seconds_sum{route="/things/{id}"} 11.000201)");
}

TEST_F(RequestMetricsTest, CountsTheAbortedApartAndTheirDurationsNot) {
  metrics_.record_aborted("GET", "/things");
  metrics_.record_aborted("GET", "/things");
  expect_line(R"(fluxora_http_requests_total{method="GET",route="/things",status="aborted"} 2)");
  EXPECT_EQ(text().find("duration_seconds_count"), std::string::npos);
}

TEST_F(RequestMetricsTest, CountsTheEndlessWithTheirStatusAndTheirDurationsNot) {
  metrics_.record_endless("GET", "/things", 200);
  expect_line(R"(fluxora_http_requests_total{method="GET",route="/things",status="200"} 1)");
  EXPECT_EQ(text().find("duration_seconds_count"), std::string::npos);
}

TEST_F(RequestMetricsTest, HasOneLabelForAllThatIsUnknown) {
  metrics_.record("BREW", "/things", 405, 1ms);
  metrics_.record("STIR", "/things", 405, 1ms);
  metrics_.record("GET", "", 404, 1ms);
  expect_line(R"(fluxora_http_requests_total{method="_OTHER",route="/things",status="405"} 2)");
  expect_line(R"(fluxora_http_requests_total{method="GET",route="unknown",status="404"} 1)");
  EXPECT_EQ(text().find("BREW"), std::string::npos);
}

TEST_F(RequestMetricsTest, CountsUnderOneNameWhatIsBeyondItsBound) {
  for (unsigned status = 100; status < 200; ++status) metrics_.record("GET", "/things", status, 1ms);
  expect_line(R"(fluxora_http_requests_total{method="other",route="/things",status="other"} 36)");
  expect_line(R"(fluxora_http_request_duration_seconds_count{route="/things"} 100)");
}

TEST_F(RequestMetricsTest, LosesNothingToOtherThreads) {
  constexpr int each = 20'000;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < each; ++i) metrics_.record("GET", "/things", 200 + (t + static_cast<unsigned>(i)) % 2, 1ms);
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect_line(R"(fluxora_http_requests_total{method="GET",route="/things",status="200"} 40000)");
  expect_line(R"(fluxora_http_requests_total{method="GET",route="/things",status="201"} 40000)");
  expect_line(R"(fluxora_http_request_duration_seconds_count{route="/things"} 80000)");
}

TEST(MetricsPage, EscapesWhatItIsGiven) {
  MetricsPage page;
  page.gauge("a", "Says \"so\"\nand more.", std::uint64_t{1}, {{"label", "a\"b\\c\nd"}});
  EXPECT_NE(page.text().find(R"(a{label="a\"b\\c\nd"} 1)"), std::string::npos) << page.text();
}

TEST(ProcessMetrics, TellOfThisProcess) {
  MetricsPage page;
  write_process_metrics(page);
  const std::string text = page.text();
  for (const std::string name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                                 "process_virtual_memory_bytes", "process_start_time_seconds", "process_max_fds"}) {
    const std::size_t at = text.find("\n" + name + " ");
    ASSERT_NE(at, std::string::npos) << name;
    if (name != "process_cpu_seconds_total") {
      EXPECT_NE(text[at + name.size() + 2], '0') << name;
    }
  }
}

}  // namespace
}  // namespace fluxora::telemetry
