#pragma once

#include "fluxora/ports/event_log.hpp"
#include "pool.hpp"

namespace fluxora::store {

class EventLogReader final : public ports::EventLog {
 public:
  explicit EventLogReader(ReadPool& pool) : pool_(pool) {}

  void head(ports::Reply<ports::LogHead> reply) override;
  void read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
            ports::Reply<ports::EventPage> reply) override;

 private:
  ReadPool& pool_;
};

/// The log's extent by any connection.
ports::LogHead read_log_head(pqxx::connection& connection);
/// The oldest entries behind `seq` by any connection, and the head in the same snapshot.
ports::EventPage read_entries_after(pqxx::connection& connection, std::uint64_t seq, std::size_t limit);

}  // namespace fluxora::store
