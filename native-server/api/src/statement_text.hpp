#pragma once

#include <cstdint>
#include <string>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/statement.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/account_reader.hpp"

namespace fluxora::api {

enum class StatementFormat : std::uint8_t { json, csv };

struct StatementHead {
  std::string account;
  core::UnixSeconds from = 0;
  core::UnixSeconds to = 0;
  core::UnixSeconds as_of = 0;
};

/// A statement as it is sent, page by page: one JSON object, or RFC 4180 with a header line. Beside a page it holds
/// only the totals, which come last in JSON; CSV has none.
class StatementText {
 public:
  StatementText(StatementFormat format, StatementHead head);
  StatementText(const StatementText&) = delete;
  StatementText& operator=(const StatementText&) = delete;

  /// The text that a page adds; what stands before the first page and behind the last one is part of theirs.
  [[nodiscard]] std::string piece(const ports::StatementPage& page);

 private:
  void begin_json();
  void write_json(const core::StatementLine& line);
  void end_json();
  void begin_csv();
  void write_csv(const core::StatementLine& line);

  StatementFormat format_;
  StatementHead head_;
  bool begun_ = false;
  std::string text_;
  core::JsonWriter json_{text_};
  core::StatementTotalsByToken totals_;
};

}  // namespace fluxora::api
