#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/scval.hpp"

namespace fluxora::core {

/// Reads the fields of a contract's struct: a map with symbol keys. One that is missing or of another type gives a
/// zero, and makes the whole unreadable. It refers to the struct, which must outlive it.
class StructFields {
 public:
  explicit StructFields(const ScVal& value) : value_(value) {}

  Amount amount(std::string_view name);
  std::uint64_t u64(std::string_view name);
  std::string address(std::string_view name);
  /// A u32 of 0..last.
  std::uint32_t enumeration(std::string_view name, std::uint32_t last);

  [[nodiscard]] bool has(std::string_view name) const { return value_.field(name) != nullptr; }
  /// None where the field is absent, or void: an Option's none.
  std::optional<Amount> amount_or_none(std::string_view name);
  std::optional<std::uint64_t> u64_or_none(std::string_view name);

  /// Whether all that was asked for was there.
  [[nodiscard]] bool readable() const { return readable_; }

 private:
  [[nodiscard]] bool has_some(std::string_view name) const;

  const ScVal& value_;
  bool readable_ = true;
};

}  // namespace fluxora::core
