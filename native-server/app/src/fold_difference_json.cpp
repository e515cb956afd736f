#include "fold_difference_json.hpp"

#include <optional>
#include <string>

namespace fluxora::app {
namespace {

void write_text(core::JsonWriter& json, std::string_view name, const std::optional<std::string>& text) {
  json.key(name);
  text ? json.string(*text) : json.null();
}

}  // namespace

void write_difference_members(core::JsonWriter& json, const indexer::FoldDifference& difference) {
  json.key("field").string(difference.field);
  write_text(json, "held", difference.held);
  write_text(json, "folded", difference.folded);
}

}  // namespace fluxora::app
