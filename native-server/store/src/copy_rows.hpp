#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace fluxora::store {

/// One row for COPY: a text a column, or NULL.
template <std::size_t columns>
using CopyRow = std::array<std::optional<std::string>, columns>;

/// Rows as COPY's text format has them, a line each, the last without its end.
struct CopyLines {
  std::string text;
};

/// Puts a field behind `text`, escaped as COPY's text format wants it.
inline void append_copy_field(std::string& text, const std::optional<std::string>& field) {
  if (!field) {
    text += "\\N";
    return;
  }
  const auto is_special = [](char c) { return c == '\\' || c == '\t' || c == '\n' || c == '\r'; };
  auto from = field->begin();
  for (auto at = from; (at = std::find_if(from, field->end(), is_special)) != field->end(); from = at + 1) {
    text.append(from, at);
    text += '\\';
    text += *at == '\t' ? 't' : *at == '\n' ? 'n' : *at == '\r' ? 'r' : '\\';
  }
  text.append(from, field->end());
}

}  // namespace fluxora::store

/// libpqxx renders a row field by field into strings of their own, which took longer than PostgreSQL takes to store it.
/// This sends what is rendered already; the specialisation is a member, and so reaches what sends a line.
template <>
inline pqxx::stream_to& pqxx::stream_to::operator<<(const fluxora::store::CopyLines& lines) {
  write_raw_line(lines.text);
  return *this;
}

namespace fluxora::store {

/// Puts a row behind the lines.
template <std::size_t columns>
void append_copy_row(CopyLines& lines, const CopyRow<columns>& row) {
  if (!lines.text.empty()) lines.text += '\n';
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) lines.text += '\t';
    append_copy_field(lines.text, row[i]);
  }
}

/// Copies a row of each item into a table. Rows are made when they are due, so that the database works on those before
/// them meanwhile; and so does `meanwhile`, once all are sent.
template <class Items, class MakeRow, class Meanwhile>
void copy_rows(pqxx::transaction_base& sql, const std::string& table, const std::vector<std::string>& columns,
               const Items& items, MakeRow make_row, Meanwhile meanwhile) {
  constexpr std::size_t sent_at_once = 16'384;
  pqxx::stream_to stream(sql, table, columns);
  CopyLines lines;
  for (const auto& item : items) {
    append_copy_row(lines, make_row(item));
    if (lines.text.size() < sent_at_once) continue;
    stream << lines;
    lines.text.clear();
  }
  if (!lines.text.empty()) stream << lines;
  meanwhile();
  stream.complete();
}

}  // namespace fluxora::store
