#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "fluxora/core/bytes.hpp"

namespace fluxora::core {

/// An HMAC-SHA256 key (RFC 2104, FIPS 180-4), ready: the key's own blocks are hashed once, not for each message.
/// Holds what the key can be used with, so it is moved, never copied, and zeroed when it goes.
class HmacSha256Key {
 public:
  /// Any number of bytes, as RFC 2104 takes them.
  explicit HmacSha256Key(ByteView key) noexcept;
  ~HmacSha256Key();
  HmacSha256Key(HmacSha256Key&& other) noexcept;
  HmacSha256Key& operator=(HmacSha256Key&& other) noexcept;
  HmacSha256Key(const HmacSha256Key&) = delete;
  HmacSha256Key& operator=(const HmacSha256Key&) = delete;

  /// The code of the parts, one after another.
  [[nodiscard]] Hash authenticate(std::initializer_list<ByteView> parts) const noexcept;

 private:
  alignas(8) std::array<std::uint8_t, 208> state_;  // libsodium's crypto_auth_hmacsha256_state
};

/// Compares in a time that depends on nothing but the length. Different lengths are unequal.
[[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b) noexcept;

/// Overwrites with zeros, also where the compiler sees that nobody reads them again.
void wipe(std::span<std::uint8_t> bytes) noexcept;
/// Of the text's own length, which stays.
void wipe(std::string& text) noexcept;

}  // namespace fluxora::core
