#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/accrual.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/stream.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

constexpr const char* contract_cases = "accrual/contract_cases.json";

std::optional<StreamKind> kind_of(const std::string& name) {
  if (name == "Linear") return StreamKind::linear;
  if (name == "CliffOnly") return StreamKind::cliff_only;
  if (name == "CliffSlope") return StreamKind::cliff_slope;
  return std::nullopt;
}

std::optional<StreamStatus> status_of(const std::string& name) {
  if (name == "Active") return StreamStatus::active;
  if (name == "Paused") return StreamStatus::paused;
  if (name == "Completed") return StreamStatus::completed;
  if (name == "Cancelled") return StreamStatus::cancelled;
  return std::nullopt;
}

/// The case as a stream, none where it lacks what every case has. Without a checkpoint of its own it has the one
/// that every stream begins with.
std::optional<Stream> read_stream(const Json& c) {
  const auto kind = kind_of(text(c, "kind").value_or(""));
  const auto deposit = units(c, "deposit_amount");
  const auto rate = units(c, "rate_per_second");
  const auto cliff = seconds(c, "cliff_time");
  const auto end = seconds(c, "end_time");
  if (!kind || !deposit || !rate || !cliff || !end) return std::nullopt;
  Stream stream;
  stream.kind = *kind;
  stream.deposit = Amount{*deposit};
  stream.rate_per_second = Amount{*rate};
  stream.cliff_time = *cliff;
  stream.end_time = *end;
  stream.start_time = seconds(c, "start_time").value_or(0);
  stream.checkpoint_amount = Amount{units(c, "checkpointed_amount").value_or(0)};
  stream.checkpoint_at = seconds(c, "checkpointed_at").value_or(stream.start_time);
  stream.withdrawn = Amount{units(c, "withdrawn_amount").value_or(0)};
  stream.cancelled_at = seconds(c, "cancelled_at");
  stream.status = stream.cancelled_at ? StreamStatus::cancelled : StreamStatus::active;
  if (const auto name = text(c, "status")) {
    const auto status = status_of(*name);
    if (!status) return std::nullopt;
    stream.status = *status;
  }
  return stream;
}

void check_case(const Json& c) {
  const auto stream = read_stream(c);
  const auto now = seconds(c, "now");
  const auto expected = text(c, "expected");
  ASSERT_TRUE(stream && now && expected) << "not a case of the known shape";
  const Amount streamed = streamed_at(*stream, *now);
  EXPECT_EQ(format_units(streamed.units), *expected);
  EXPECT_EQ(balances_at(*stream, *now).streamed, streamed);
  // Where neither a cancellation nor a completion has a say, the terms alone give the same.
  if (stream->status == StreamStatus::active || stream->status == StreamStatus::paused) {
    EXPECT_EQ(format_units(accrued(accrual_terms(*stream), *now).units), *expected);
  }
  if (const auto refund = units(c, "refund")) {
    EXPECT_EQ(format_units(stream->deposit.units - streamed.units), format_units(*refund));
  }
}

void check_all(const VectorCases& file) {
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    SCOPED_TRACE(file.place(i) + ": " + file.cases[i].dump());
    check_case(file.cases[i]);
  }
  file.report();
}

TEST(AccrualVectors, ContractUnitCases) {
  const VectorCases file = read_list(contract_cases, "unit_cases");
  REQUIRE_VECTORS(file);
  check_all(file);
}

TEST(AccrualVectors, HostSnapshotCases) {
  const VectorCases file = read_list(contract_cases, "host_snapshot_cases");
  REQUIRE_VECTORS(file);
  check_all(file);
}

TEST(AccrualVectors, DocumentedCases) {
  const VectorCases file = read_list(contract_cases, "doc_cases");
  REQUIRE_VECTORS(file);
  check_all(file);
}

TEST(AccrualVectors, ContractDifferential) {
  const VectorCases file = read_lines("accrual/contract_differential.jsonl");
  REQUIRE_VECTORS(file);
  check_all(file);
}

}  // namespace
}  // namespace fluxora::core::vectors
