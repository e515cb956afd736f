#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

namespace fluxora::store {

/// A statement that a connection prepares when it first runs it. As many as there are names in the program: a value
/// goes into its parameters, never into its text.
struct Statement {
  std::string name;
  std::string text;
};

/// A reading connection and what it has prepared. Both go together: after an error, with a failover, a new session
/// begins with nothing prepared.
class ReadConnection {
 public:
  explicit ReadConnection(std::unique_ptr<pqxx::connection> connection) : connection_(std::move(connection)) {}

  [[nodiscard]] pqxx::connection& plain() noexcept { return *connection_; }

  /// One round trip, one snapshot. Throws as libpqxx does.
  pqxx::result execute(const Statement& statement, const std::vector<std::string>& parameters) {
    if (prepared_.insert(statement.name).second) connection_->prepare(statement.name, statement.text);
    pqxx::nontransaction sql(*connection_);
    return sql.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(parameters));
  }

 private:
  std::unique_ptr<pqxx::connection> connection_;
  std::unordered_set<std::string> prepared_;
};

}  // namespace fluxora::store
