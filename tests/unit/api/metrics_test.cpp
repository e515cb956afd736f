#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"

namespace fluxora::api::test {
namespace {

TEST(Metrics, AreTextThatNobodyKeeps) {
  ApiBench bench;
  const net::Response response = bench.ask("/metrics");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(std::get<std::string>(response.body), "a_metric 1\n");
}

TEST(Metrics, TakeNoParameters) {
  ApiBench bench;
  EXPECT_EQ(bench.ask("/metrics?name=x").status, 400u);
}

TEST(Metrics, CountWhatBecameOfRepeatedCreations) {
  ApiBench bench;
  const std::string body =
      R"({"sender":"x"})";  // wrong, so that the writer is asked for what the key was answered before
  bench.writer.earlier = std::optional<ports::WriteAnswer>(tl::unexpected(ports::WriteRefusal::key_reused));
  EXPECT_EQ(
      bench.ask("/api/streams", {{"Content-Type", "application/json"}, {"Idempotency-Key", "k"}}, "POST", body).status,
      422u);
  EXPECT_EQ(bench.context.idempotency->reused, 1u);
  EXPECT_EQ(bench.context.idempotency->replayed, 0u);
}

}  // namespace
}  // namespace fluxora::api::test
