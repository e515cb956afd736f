#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "connection.hpp"
#include "fluxora/ports/log_scan.hpp"

namespace fluxora::store {

/// Reads by a statement each; whoever makes it says in which transaction.
class PostgresLogScan : public ports::LogScan {
 public:
  /// Calls what it is given with the transaction, and says outages as StoreUnavailable.
  using Within = std::function<void(const std::function<void(pqxx::transaction_base&)>&)>;
  explicit PostgresLogScan(Within within) : within_(std::move(within)) {}

  ports::LogExtent extent() override;
  std::vector<ports::PrunedStream> left_streams(std::uint64_t below_seq, const std::string& after_id,
                                                std::size_t limit) override;
  std::vector<ports::PrunedStream> left_streams_of(const std::vector<std::string>& ids,
                                                   std::uint64_t below_seq) override;
  std::vector<ports::ScannedEntry> entries(std::uint64_t after_seq, std::size_t limit, bool with_effects) override;
  std::vector<ports::ScannedEntry> entries_of(const std::vector<std::string>& streams, std::uint64_t after_seq,
                                              std::size_t limit) override;
  std::vector<std::uint64_t> retracted(std::uint64_t first, std::uint64_t last) override;
  std::vector<std::string> split_relatives(const std::vector<std::string>& streams) override;
  std::vector<ports::ScannedLedger> ledgers(std::optional<std::uint32_t> after, std::size_t limit) override;
  std::vector<ports::ScannedStream> streams(const std::string& after_id, std::size_t limit) override;
  std::vector<ports::ScannedStream> streams_of(const std::vector<std::string>& ids) override;
  [[nodiscard]] const std::vector<std::string>& stream_columns() const override;
  [[nodiscard]] ports::StreamColumns columns_of(const core::Stream& stream) const override;

 private:
  pqxx::result read(const std::function<std::string(pqxx::transaction_base&)>& statement);

  Within within_;
};

/// All of one moment, by a connection that is used for nothing else meanwhile and outlives it.
[[nodiscard]] std::unique_ptr<ports::LogScan> open_log_snapshot(OwnConnection& own);

}  // namespace fluxora::store
