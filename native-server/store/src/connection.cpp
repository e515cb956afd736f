#include "connection.hpp"

namespace fluxora::store {
namespace {

std::string with_parameter(std::string url, std::string_view name, std::string_view value) {
  if (url.find(std::string(name) + "=") != std::string::npos) return url;  // the operator's own setting stands
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += name;
  url += '=';
  url += value;
  return url;
}

}  // namespace

std::unique_ptr<pqxx::connection> connect(const StoreOptions& options, std::string_view purpose,
                                          int statement_timeout_ms) {
  std::string url = with_parameter(options.database_url, "connect_timeout", std::to_string(options.connect_timeout_s));
  url = with_parameter(std::move(url), "application_name", "fluxora-" + std::string(purpose));
  // A host that vanishes without a word must not hold a read, or the indexer's lock, for the system's two hours.
  for (const auto& [name, value] :
       {std::pair{"keepalives_idle", "5"}, {"keepalives_interval", "2"}, {"keepalives_count", "3"}}) {
    url = with_parameter(std::move(url), name, value);
  }
  url = with_parameter(std::move(url), "tcp_user_timeout", std::to_string(options.tcp_user_timeout_ms));
  auto connection = std::make_unique<pqxx::connection>(url);
  pqxx::nontransaction setup(*connection);
  setup.exec("SET statement_timeout = " + std::to_string(statement_timeout_ms));
  setup.exec("SET client_min_messages = warning");
  // Our statements touch few rows; compiling one would take longer than running it.
  setup.exec("SET jit = off");
  if (!options.schema.empty()) setup.exec("SET search_path = " + setup.quote_name(options.schema));
  setup.exec(
      "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;"
      " SET tcp_user_timeout = 10000");
  return connection;
}

bool is_outage(const std::exception& error) noexcept {
  if (dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr) return true;
  // Lost while it committed: whether it did is seen when the connection is back.
  if (dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr) return true;
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  if (sql == nullptr) return false;
  // Class 08: connection; class 57: shutdown, crash, not yet ready (but 57014 is our own timeout); class 53: no more
  // connections, memory or disk; 25006: a server that became a standby.
  const std::string state = sql->sqlstate();
  return state.rfind("08", 0) == 0 || state.rfind("57P", 0) == 0 || state.rfind("53", 0) == 0 || state == "25006";
}

ports::StoreFailure report_failure(const std::exception& error, ports::Log& log) {
  if (is_outage(error)) {
    log.warn("database_unavailable", error.what());
    return ports::StoreFailure::unavailable;
  }
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  if (sql != nullptr && sql->sqlstate() == "57014") {  // our own statement_timeout
    log.warn("database_slow", error.what());
    return ports::StoreFailure::busy;
  }
  log.error("database_error", error.what());
  return ports::StoreFailure::internal;
}

}  // namespace fluxora::store
