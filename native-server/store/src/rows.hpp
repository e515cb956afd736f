#pragma once

#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "copy_rows.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::store {

using StreamRow = CopyRow<24>;
using EventRow = CopyRow<17>;

/// SQL's expression of the database's time in unix milliseconds, moving on within a transaction.
inline const std::string now_ms = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// None of NULL.
template <class Number>
[[nodiscard]] std::optional<Number> number_or_none(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return field.as<Number>();
}

/// The columns of `streams`, in the order that stream_row and stream_from_row use.
[[nodiscard]] const std::vector<std::string>& stream_columns();
/// The same, comma separated, each behind `prefix`.
[[nodiscard]] std::string stream_column_list(std::string_view prefix);
[[nodiscard]] StreamRow stream_row(const core::Stream& stream);
/// Reads the columns from `first` on; none when the id is NULL (an outer join's missing side).
[[nodiscard]] std::optional<core::Stream> stream_from_row(const pqxx::row& row, int first);

[[nodiscard]] const std::vector<std::string>& event_columns();
[[nodiscard]] std::string event_column_list(std::string_view prefix);
[[nodiscard]] EventRow event_row(const core::LogEntry& entry);
/// The stream that an entry's `stream_state` holds; none where it isn't folded, or leaves none.
[[nodiscard]] std::optional<core::Stream> stream_from_state(const pqxx::field& state);
[[nodiscard]] std::optional<core::LogEntry> event_from_row(const pqxx::row& row, int first);

/// The columns of `ledgers` that make a header, comma separated, and the header that a row of them is.
[[nodiscard]] std::string ledger_column_list();
[[nodiscard]] ports::LedgerHeader ledger_from_row(const pqxx::row& row);

/// SQL's condition that an entry stands: it is no retraction, and none names it. `entry` is the table's alias.
[[nodiscard]] std::string stands(std::string_view entry);

/// epoch, head seq, last indexed ledger's close time.
inline constexpr std::string_view read_point_columns = "h.epoch, h.seq, c.closed_at";
inline constexpr int read_point_width = 3;
[[nodiscard]] ports::ReadPoint read_point_from_row(const pqxx::row& row, int first);

/// SQL's text literals of the texts, comma separated.
[[nodiscard]] std::string quoted_list(pqxx::transaction_base& sql, const std::vector<std::string>& texts);

/// The same as one literal of an array, which PostgreSQL reads quicker where they are many.
[[nodiscard]] std::string text_array(pqxx::transaction_base& sql, const std::vector<std::string>& texts);
[[nodiscard]] std::string number_array(const std::vector<std::uint64_t>& numbers);

/// bytea as PostgreSQL writes it, `\x…`.
[[nodiscard]] std::string bytea(core::ByteView bytes);
/// Throws std::runtime_error on anything else: the database holds only what we wrote.
[[nodiscard]] core::Bytes bytes_from_field(const pqxx::field& field);
[[nodiscard]] core::Hash hash_from_field(const pqxx::field& field);

}  // namespace fluxora::store
