#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// Who did what, from where. Texts only, and never a secret.
struct AuditRecord {
  /// "key:<id>", "jwt:<sub>", "worker", "address:<ip>", "command"; of the chain's changes "chain:<contract>"
  std::string actor;
  std::string action;  ///< "stream.create", "key.revoke", "access.denied", …
  std::string target;  ///< what it was done to; empty: nothing that has a name
  std::string address;
  std::string request_id;
  std::string detail;  ///< a JSON object; empty counts as {}
};

enum class AuditSource : std::uint8_t {
  service,  ///< what was done through the API and the command line
  chain,    ///< what the chain changed: the log's own entries, seen as records
};

struct AuditEntry {
  std::uint64_t position = 0;  ///< within its source; of the chain's the seq in the log
  core::UnixMillis at = 0;
  AuditRecord record;
};

struct AuditQuery {
  AuditSource source = AuditSource::service;
  std::optional<std::string> actor;
  std::optional<std::string> action;
  std::optional<std::string> target;
  std::optional<std::uint64_t> before;  ///< a position
  std::size_t limit = 20;
};

struct AuditPage {
  std::vector<AuditEntry> entries;  ///< newest first
  bool has_more = false;
};

/// The append-only record of who did what. What is written in one transaction with its record doesn't come by here.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual void append(AuditRecord record, Reply<bool> reply) = 0;
  virtual void read(AuditQuery query, Reply<AuditPage> reply) = 0;
};

}  // namespace fluxora::ports
