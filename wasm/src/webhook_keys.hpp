#pragma once

#include <optional>
#include <utility>

#include "exchange.hpp"
#include "fluxora/core/webhook_signature.hpp"

namespace fluxora::wasm {

/// Takes texts that follow each other one by one.
class Texts {
 public:
  explicit Texts(const char* text) noexcept : next_(text) {}
  std::string_view take(std::uint32_t size) noexcept {
    const std::string_view text(next_, size);
    next_ += size;
    return text;
  }
  [[nodiscard]] const std::uint8_t* rest() const noexcept { return reinterpret_cast<const std::uint8_t*>(next_); }

 private:
  const char* next_;
};

/// Overwrites a key's text in the input area.
void wipe_input(const char* text, std::uint32_t size) noexcept;

/// Adds a key of either kind to a verifier, and zeroes its text.
template <class Key>
Status add_key(core::WebhookVerifier& verifier, const char* text, std::uint32_t size, std::uint32_t has_grace,
               std::uint64_t grace_ends) {
  auto key = Key::parse(std::string_view(text, size));
  wipe_input(text, size);
  if (!key) return fail(key.error());
  const auto added =
      verifier.add(std::move(*key), has_grace != 0 ? std::optional<core::UnixSeconds>(grace_ends) : std::nullopt);
  return added ? status_ok : fail(added.error());
}

}  // namespace fluxora::wasm
