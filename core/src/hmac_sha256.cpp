#include "fluxora/core/hmac_sha256.hpp"

#include <cstring>

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/utils.h>

namespace fluxora::core {

static_assert(crypto_auth_hmacsha256_BYTES == std::tuple_size_v<Hash>);

HmacSha256Key::HmacSha256Key(ByteView key) noexcept {
  static_assert(sizeof(crypto_auth_hmacsha256_state) == sizeof(state_));
  static_assert(alignof(crypto_auth_hmacsha256_state) <= alignof(HmacSha256Key));
  const std::uint8_t nothing = 0;  // libsodium wants an address for an empty key too
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.empty() ? &nothing : key.data(), key.size());
  std::memcpy(state_.data(), &state, sizeof state);
  sodium_memzero(&state, sizeof state);
}

HmacSha256Key::~HmacSha256Key() {
  wipe(state_);
}

HmacSha256Key::HmacSha256Key(HmacSha256Key&& other) noexcept : state_(other.state_) {
  wipe(other.state_);
}

HmacSha256Key& HmacSha256Key::operator=(HmacSha256Key&& other) noexcept {
  if (this != &other) {
    state_ = other.state_;
    wipe(other.state_);
  }
  return *this;
}

Hash HmacSha256Key::authenticate(std::initializer_list<ByteView> parts) const noexcept {
  crypto_auth_hmacsha256_state state;
  std::memcpy(&state, state_.data(), sizeof state);
  for (const ByteView part : parts) crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  Hash code;
  crypto_auth_hmacsha256_final(&state, code.data());
  sodium_memzero(&state, sizeof state);
  return code;
}

bool equal_in_constant_time(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::uint8_t> bytes) noexcept {
  sodium_memzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) noexcept {
  sodium_memzero(text.data(), text.size());
}

}  // namespace fluxora::core
