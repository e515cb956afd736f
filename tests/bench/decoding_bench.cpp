// What the chain sends: addresses, values, a stream's creation folded.
#include <string>

#include <benchmark/benchmark.h>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/strkey.hpp"
#include "must.hpp"

using namespace fluxora;
using bench::must;
using bench::require;

namespace {

const std::string account = "GAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQDZ7H";
const std::string contract = "CABQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGCK3";
// A `created` of the newest shape: stream 7, 1000.0 at 0.0000116 a second.
const std::string topics[] = {"AAAADwAAAAdjcmVhdGVkAA==", "AAAABQAAAAAAAAAH"};
const std::string value =
    "AAAAEQAAAAEAAAALAAAADwAAAApjbGlmZl90aW1lAAAAAAAFAAAAAGnI8W8AAAAPAAAADmRlcG9zaXRfYW1vdW50AAAAAAAKAAAAAAAAAAAAAAAC"
    "VAvkAAAAAA8AAAAIZW5kX3RpbWUAAAAFAAAAAGnKQu8AAAAPAAAABG1lbW8AAAABAAAADwAAAAhtZXRhZGF0YQAAAAEAAAAPAAAAD3JhdGVfcGVy"
    "X3NlY29uZAAAAAAKAAAAAAAAAAAAAAAAAAAAdAAAAA8AAAAJcmVjaXBpZW50AAAAAAAAEgAAAAAAAAAAAgICAgICAgICAgICAgICAgICAgICAgIC"
    "AgICAgICAgIAAAAPAAAABnNlbmRlcgAAAAAAEgAAAAAAAAAAAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEAAAAPAAAACnN0YXJ0X3Rp"
    "bWUAAAAAAAUAAAAAacjxbwAAAA8AAAAJc3RyZWFtX2lkAAAAAAAABQAAAAAAAAAHAAAADwAAABd3aXRoZHJhd19kdXN0X3RocmVzaG9sZAAAAAAK"
    "AAAAAAAAAAAAAAAAAAAAAA==";

void strkey_decode(benchmark::State& state) {
  require(must(core::decode_strkey(account), "address").payload == core::Bytes(32, 1), "address");
  for (auto _ : state) benchmark::DoNotOptimize(core::decode_strkey(account));
}
BENCHMARK(strkey_decode);

void scval_decode(benchmark::State& state) {
  const core::Bytes xdr = must(core::base64_decode(value), "base64");
  require(must(core::decode_scval(xdr), "value").map()->size() == 11, "value");
  for (auto _ : state) benchmark::DoNotOptimize(core::decode_scval(xdr));
}
BENCHMARK(scval_decode);

core::FoldResult decode_and_fold() {
  core::ScVec vec;
  for (const std::string& topic : topics) vec.push_back(must(core::decode_scval_base64(topic), "topic"));
  const auto event = core::decode_contract_event(vec, must(core::decode_scval_base64(value), "value"));
  return must(core::fold(nullptr, event, {.contract_id = contract, .ledger = 1, .closed_at = 1774776687, .seq = 1}),
              "fold");
}

void contract_event_fold(benchmark::State& state) {
  require(decode_and_fold().stream.rate_per_second.units == 116, "fold");
  for (auto _ : state) benchmark::DoNotOptimize(decode_and_fold());
}
BENCHMARK(contract_event_fold);

}  // namespace
