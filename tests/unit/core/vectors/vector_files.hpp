#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core::vectors {

using Json = nlohmann::json;

/// The cases of one vector file, read from $FLUXORA_VECTORS, or ../shared/vectors beside the project where that
/// isn't set. A file that is absent skips its test; one that is there must have cases.
struct VectorCases {
  std::string name;     ///< the file, with "#list" for one list of several: "strkey/strkey_vectors.json#sep23_valid"
  bool absent = false;  ///< there is no such file or list
  std::string problem;  ///< why there are no cases; empty when there are
  std::vector<Json> cases;

  /// Where a failure is: "<file> case 12".
  [[nodiscard]] std::string place(std::size_t index) const;
  /// Prints the line by which two targets are compared: "vectors: <file> <N> cases".
  void report() const;
};

/// A .jsonl file: a case a line.
VectorCases read_lines(const std::string& file);

/// A .json file: one of its lists. A list that isn't there while others have cases counts as absent.
VectorCases read_list(const std::string& file, const std::string& list);

/// A .json file that is one list.
VectorCases read_array(const std::string& file);

/// A text member; none where it is missing or null. Any other type gives none too.
std::optional<std::string> text(const Json& object, const char* key);

/// Amounts and times as the vectors have them, in decimal strings. A missing, null or unreadable one is none.
std::optional<Int128> units(const Json& object, const char* key);
std::optional<UnixSeconds> seconds(const Json& object, const char* key);

/// A bool; none where it is missing or of another type.
std::optional<bool> flag(const Json& object, const char* key);

/// True when there is such a member, null or not.
bool has(const Json& object, const char* key);

}  // namespace fluxora::core::vectors

// A macro because only the test itself can return.
#define REQUIRE_VECTORS(vector_cases)                                \
  if ((vector_cases).absent) GTEST_SKIP() << (vector_cases).problem; \
  ASSERT_EQ((vector_cases).problem, "")
