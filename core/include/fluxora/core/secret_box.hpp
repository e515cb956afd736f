#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/bytes.hpp"

namespace fluxora::core {

using SecretBoxNonce = std::array<std::uint8_t, 24>;

/// Secrets at rest: sealed with libsodium's secretbox (XSalsa20-Poly1305) under a key that isn't kept beside them, and
/// bound to whom they belong to, so that one can't be put into another's place. SPEC section 8. Native only.
class SecretBox {
 public:
  /// Base64 of 32 bytes; several, separated by commas: the first seals, all open. At most 8.
  /// None: the text is none of that.
  [[nodiscard]] static std::optional<SecretBox> parse(std::string_view keys);
  ~SecretBox();
  SecretBox(SecretBox&& other) noexcept;
  SecretBox& operator=(SecretBox&& other) noexcept;
  SecretBox(const SecretBox&) = delete;
  SecretBox& operator=(const SecretBox&) = delete;

  /// `owner`: whom it belongs to, "webhook_endpoint:12", without zero bytes. `nonce`: random, never used twice.
  /// Gives a version byte, the nonce, and what secretbox makes of owner, zero byte and secret.
  [[nodiscard]] Bytes seal(std::string_view secret, std::string_view owner, const SecretBoxNonce& nonce) const;
  /// None: sealed under none of the keys, altered, or somebody else's.
  [[nodiscard]] std::optional<std::string> open(ByteView sealed, std::string_view owner) const;
  /// Whether it opens with the key that seals, so that no other is needed for it.
  [[nodiscard]] bool is_of_first_key(ByteView sealed, std::string_view owner) const;

 private:
  SecretBox() = default;
  std::vector<std::array<std::uint8_t, 32>> keys_;  // zeroed at the end
};

}  // namespace fluxora::core
