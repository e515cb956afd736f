// Decimal text, and the balances of many streams.
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "fluxora/core/accrual.hpp"
#include "fluxora/core/decimal.hpp"
#include "must.hpp"

using namespace fluxora;
using bench::must;
using bench::require;

namespace {

constexpr core::UnixSeconds now = 1774780287;
constexpr std::size_t stream_count = 10'000;
constexpr std::uint64_t seed = 7;

std::vector<core::Stream> streams() {
  std::mt19937_64 random(seed);
  std::vector<core::Stream> all(stream_count);
  for (core::Stream& stream : all) {
    stream.kind = static_cast<core::StreamKind>(random() % 3);
    stream.start_time = now - random() % 100'000;
    stream.cliff_time = stream.start_time + random() % 50'000;
    stream.end_time = stream.cliff_time + 1 + random() % 100'000;
    stream.checkpoint_at = stream.start_time;
    stream.rate_per_second.units = static_cast<core::Int128>(random() % 100'000'000);
    stream.deposit.units =
        stream.rate_per_second.units * static_cast<core::Int128>(stream.end_time - stream.start_time);
    stream.withdrawn.units = stream.deposit.units / 10;
  }
  return all;
}

void accrue_10000(benchmark::State& state) {
  const auto all = streams();
  for (auto _ : state) {
    for (const core::Stream& stream : all) benchmark::DoNotOptimize(core::balances_at(stream, now));
  }
}
BENCHMARK(accrue_10000)->Unit(benchmark::kMicrosecond);

void accrue_and_format_10000(benchmark::State& state) {
  const auto all = streams();
  for (auto _ : state) {
    for (const core::Stream& stream : all) {
      const core::Balances balances = core::balances_at(stream, now);
      benchmark::DoNotOptimize(core::DecimalText(balances.streamed));
      benchmark::DoNotOptimize(core::DecimalText(balances.withdrawable));
      benchmark::DoNotOptimize(core::DecimalText(balances.remaining));
    }
  }
}
BENCHMARK(accrue_and_format_10000)->Unit(benchmark::kMicrosecond);

void decimal_parse(benchmark::State& state) {
  const std::string text = "1000000.0000116";
  require(must(core::parse_decimal(text), "decimal").units == 10'000'000'000'116, "decimal");
  for (auto _ : state) benchmark::DoNotOptimize(core::parse_decimal(text));
}
BENCHMARK(decimal_parse);

void decimal_format(benchmark::State& state) {
  core::Amount amount{10'000'000'000'116};
  require(core::DecimalText(amount).view() == "1000000.0000116", "decimal");
  for (auto _ : state) {
    benchmark::DoNotOptimize(amount);
    benchmark::DoNotOptimize(core::DecimalText(amount));
  }
}
BENCHMARK(decimal_format);

}  // namespace
