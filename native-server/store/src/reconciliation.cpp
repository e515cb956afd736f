#include "reconciliation.hpp"

#include <stdexcept>

#include "observation_list.hpp"

namespace fluxora::store {
namespace {

ports::DifferenceKind kind_from_field(const pqxx::field& field) {
  const int number = field.as<int>();
  if (number < 0 || number > static_cast<int>(ports::DifferenceKind::entry_unreadable)) {
    throw std::runtime_error("the database holds an unreadable value in column kind");
  }
  return static_cast<ports::DifferenceKind>(number);
}

ports::ReconciliationPage read_page(const std::optional<std::uint64_t>& before, std::size_t limit,
                                    pqxx::connection& connection) {
  pqxx::work sql(connection);
  ports::ReconciliationPage page;
  page.state = audit_state(sql);
  page.waiting = sql.exec("SELECT count(*) FROM observation_list")[0][0].as<std::uint64_t>();
  // One row more than asked tells whether there are more.
  const pqxx::result rows = sql.exec(
      "SELECT position, (extract(epoch FROM found_at) * 1000)::bigint, stream_id, kind, ledger, fields"
      " FROM reconciliation_differences" +
      (before ? " WHERE position < " + std::to_string(*before) : std::string()) + " ORDER BY position DESC LIMIT " +
      std::to_string(limit + 1));
  for (const auto& row : rows) {
    if (page.differences.size() == limit) {
      page.has_more = true;
      break;
    }
    page.differences.push_back({row[0].as<std::uint64_t>(),
                                row[1].as<core::UnixMillis>(),
                                {row[2].c_str(), kind_from_field(row[3]), row[4].as<std::uint32_t>(), row[5].c_str()}});
  }
  return page;
}

}  // namespace

void PostgresReconciliation::read(std::optional<std::uint64_t> before, std::size_t limit,
                                  ports::Reply<ports::ReconciliationPage> reply) {
  pool_.run<ports::ReconciliationPage>(
      std::move(reply), [before, limit](pqxx::connection& connection) { return read_page(before, limit, connection); });
}

}  // namespace fluxora::store
