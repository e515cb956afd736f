#include "log_snapshot.hpp"

#include "rows.hpp"

namespace fluxora::store {
namespace {

/// `ids`: SQL's condition of the streams that are wanted, and how many.
std::vector<StreamRemains> read_remains(pqxx::transaction_base& sql, const std::string& rows, std::uint64_t seq,
                                        const std::string& ids) {
  const std::string below = " < " + std::to_string(seq);
  const std::string newest = "(SELECT e.seq FROM " + rows + " e WHERE e.stream_id = ids.stream_id AND e.seq" + below +
                             " ORDER BY e.seq DESC LIMIT 1)";
  const std::string state = "(SELECT e.stream_state FROM " + rows + " e WHERE e.stream_id = ids.stream_id AND e.seq" +
                            below + " AND e.stream_state IS NOT NULL ORDER BY e.seq DESC LIMIT 1)";
  std::vector<StreamRemains> remains;
  for (const auto& row :
       sql.exec("SELECT ids.stream_id, " + newest + ", " + state + " FROM (SELECT DISTINCT stream_id FROM " + rows +
                " WHERE seq" + below + " AND " + ids + ") ids ORDER BY ids.stream_id")) {
    StreamRemains stream{row[0].c_str(), row[1].as<std::uint64_t>(), std::nullopt};
    if (!row[2].is_null()) stream.state = bytes_from_field(row[2]);
    remains.push_back(std::move(stream));
  }
  return remains;
}

}  // namespace

std::vector<StreamRemains> read_remains(pqxx::transaction_base& sql, std::string_view table, std::uint64_t seq,
                                        const std::string& after_id, std::size_t limit) {
  return read_remains(sql, std::string(table), seq,
                      "stream_id > " + sql.quote(after_id) + " ORDER BY stream_id LIMIT " + std::to_string(limit));
}

std::vector<StreamRemains> read_remains_of(pqxx::transaction_base& sql, std::uint64_t seq,
                                           const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  return read_remains(sql, "events", seq, "stream_id IN (" + quoted_list(sql, ids) + ")");
}

}  // namespace fluxora::store
