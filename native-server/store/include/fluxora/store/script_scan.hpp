#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluxora::store {

/// Reads the SQL script that pg_restore makes of an archive, in pieces as they come, for what it says of the log: the
/// schema of its tables and the migrations that made them. Rows of other tables are only passed over.
class ScriptScan {
 public:
  void take(std::string_view piece);

  /// Of the table log_head; "": there is none, or its name isn't plain.
  [[nodiscard]] const std::string& schema() const noexcept { return schema_; }
  /// Name and checksum of each, in the order of the names.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> migrations() const;
  /// Whether it commits by itself, as it does for large objects: then it can't be a part of one transaction.
  [[nodiscard]] bool commits() const noexcept { return commits_; }

 private:
  void line_ended();
  void take_statement();
  void take_migration();

  std::string line_;  // its beginning: what is longer is of no interest
  bool in_rows_ = false;
  bool in_migrations_ = false;
  bool commits_ = false;
  std::string schema_;
  std::vector<std::pair<std::string, std::string>> migrations_;
};

}  // namespace fluxora::store
