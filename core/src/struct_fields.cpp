#include "struct_fields.hpp"

namespace fluxora::core {

Amount StructFields::amount(std::string_view name) {
  const ScVal* field = value_.field(name);
  const std::optional<Amount> amount = field != nullptr ? field->i128() : std::nullopt;
  if (!amount) readable_ = false;
  return amount.value_or(Amount{});
}

std::uint64_t StructFields::u64(std::string_view name) {
  const ScVal* field = value_.field(name);
  const std::optional<std::uint64_t> number = field != nullptr ? field->u64() : std::nullopt;
  if (!number) readable_ = false;
  return number.value_or(0);
}

std::string StructFields::address(std::string_view name) {
  const ScVal* field = value_.field(name);
  const std::string* text = field != nullptr ? field->address() : nullptr;
  if (text != nullptr) return *text;
  readable_ = false;
  return {};
}

std::uint32_t StructFields::enumeration(std::string_view name, std::uint32_t last) {
  const ScVal* field = value_.field(name);
  const std::optional<std::uint32_t> number = field != nullptr ? field->u32() : std::nullopt;
  if (number && *number <= last) return *number;
  readable_ = false;
  return 0;
}

bool StructFields::has_some(std::string_view name) const {
  const ScVal* field = value_.field(name);
  return field != nullptr && field->type != ScValType::void_;
}

std::optional<Amount> StructFields::amount_or_none(std::string_view name) {
  if (!has_some(name)) return std::nullopt;
  return amount(name);
}

std::optional<std::uint64_t> StructFields::u64_or_none(std::string_view name) {
  if (!has_some(name)) return std::nullopt;
  return u64(name);
}

}  // namespace fluxora::core
