#include "fluxora/core/contract_instance.hpp"

#include <string_view>
#include <variant>

#include "fluxora/core/strkey.hpp"

namespace fluxora::core {
namespace {

/// The symbol that a key is or, as keys of enums without values are stored, that is alone in its vec.
const std::string* key_name(const ScVal& key) {
  const ScVec* vec = key.vec();
  if (vec == nullptr) return key.symbol();
  return vec->size() == 1 ? vec->front().symbol() : nullptr;
}

const ScVal* stored(const ScVal& instance, std::string_view name) {
  const auto* value = std::get_if<ScContractInstance>(&instance.data);
  if (value == nullptr || !value->storage) return nullptr;
  for (const ScMapEntry& entry : *value->storage) {
    const std::string* key = key_name(entry.key);
    if (key != nullptr && *key == name) return &entry.value;
  }
  return nullptr;
}

const ScVal* stored_field(const ScVal& instance, std::string_view name, std::string_view field) {
  const ScVal* value = stored(instance, name);
  return value != nullptr ? value->field(field) : nullptr;
}

}  // namespace

std::optional<std::string> contract_token(const ScVal& instance) {
  const ScVal* token = stored_field(instance, "Config", "token");
  const std::string* address = token != nullptr ? token->address() : nullptr;
  if (address == nullptr || !is_contract_id(*address)) return std::nullopt;
  return *address;
}

std::optional<std::uint32_t> token_decimals(const ScVal& instance) {
  const ScVal* decimals = stored_field(instance, "METADATA", "decimal");
  return decimals != nullptr ? decimals->u32() : std::nullopt;
}

}  // namespace fluxora::core
