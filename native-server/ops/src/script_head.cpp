#include "script_head.hpp"

namespace fluxora::ops {
namespace {

constexpr std::size_t head_bytes = 4'096;
constexpr int first_with_setting = 17;
constexpr std::string_view setting = "\nSET transaction_timeout = 0;\n";

}  // namespace

ScriptHead::ScriptHead(int server_major, ChildProcess::Take take)
    : take_(std::move(take)), is_over_(server_major >= first_with_setting) {}

void ScriptHead::take(std::string_view piece) {
  if (is_over_) return take_(piece);
  head_.append(piece);
  if (head_.size() >= head_bytes) finish();
}

void ScriptHead::finish() {
  if (is_over_) return;
  is_over_ = true;
  const std::size_t at = head_.find(setting);
  if (at < head_bytes) head_.erase(at, setting.size() - 1);
  take_(head_);
  head_.clear();
}

}  // namespace fluxora::ops
