#include "fluxora/core/secret_box.hpp"

#include <algorithm>
#include <utility>

#include <sodium/crypto_secretbox.h>

#include "fluxora/core/hmac_sha256.hpp"

namespace fluxora::core {
namespace {

constexpr std::size_t keys_max = 8;
// What is sealed: a version byte, the nonce, and secretbox's own: the code and the encrypted owner, zero byte, secret.
constexpr std::uint8_t version = 1;
constexpr std::size_t box_begin = 1 + std::tuple_size_v<SecretBoxNonce>;
constexpr std::size_t sealed_min = box_begin + crypto_secretbox_MACBYTES;

static_assert(crypto_secretbox_KEYBYTES == 32);
static_assert(crypto_secretbox_NONCEBYTES == std::tuple_size_v<SecretBoxNonce>);

using Key = std::array<std::uint8_t, crypto_secretbox_KEYBYTES>;

/// The secret of an opened box; none: it is somebody else's.
std::optional<std::string> secret_of(ByteView opened, std::string_view owner) {
  const ByteView name = as_bytes(owner);
  if (opened.size() <= name.size() || opened[name.size()] != 0) return std::nullopt;
  if (!std::equal(name.begin(), name.end(), opened.begin())) return std::nullopt;
  const ByteView secret = opened.subspan(name.size() + 1);
  return std::string(secret.begin(), secret.end());
}

std::optional<std::string> open_with(const Key& key, ByteView sealed, std::string_view owner) {
  if (sealed.size() < sealed_min || sealed[0] != version) return std::nullopt;
  const ByteView box = sealed.subspan(box_begin);
  Bytes opened(box.size() - crypto_secretbox_MACBYTES);
  if (crypto_secretbox_open_easy(opened.data(), box.data(), box.size(), sealed.data() + 1, key.data()) != 0) {
    return std::nullopt;
  }
  auto secret = secret_of(opened, owner);
  wipe(opened);
  return secret;
}

}  // namespace

std::optional<SecretBox> SecretBox::parse(std::string_view keys) {
  SecretBox box;
  box.keys_.reserve(keys_max);  // a vector that grows would leave keys behind
  for (bool last = false; !last;) {
    const std::size_t comma = keys.find(',');
    last = comma == std::string_view::npos;
    if (box.keys_.size() == keys_max) return std::nullopt;
    if (!base64_decode_exactly(keys.substr(0, comma), box.keys_.emplace_back())) return std::nullopt;
    if (!last) keys.remove_prefix(comma + 1);
  }
  return box;
}

SecretBox::~SecretBox() {
  for (auto& key : keys_) wipe(key);
}

SecretBox::SecretBox(SecretBox&& other) noexcept : keys_(std::move(other.keys_)) {}

SecretBox& SecretBox::operator=(SecretBox&& other) noexcept {
  std::swap(keys_, other.keys_);  // ours are zeroed where they went
  return *this;
}

Bytes SecretBox::seal(std::string_view secret, std::string_view owner, const SecretBoxNonce& nonce) const {
  Bytes plain;
  plain.reserve(owner.size() + 1 + secret.size());
  plain.insert(plain.end(), owner.begin(), owner.end());
  plain.push_back(0);
  plain.insert(plain.end(), secret.begin(), secret.end());

  Bytes sealed(sealed_min + plain.size());
  sealed[0] = version;
  std::copy(nonce.begin(), nonce.end(), sealed.begin() + 1);
  crypto_secretbox_easy(sealed.data() + box_begin, plain.data(), plain.size(), nonce.data(), keys_.front().data());
  wipe(plain);
  return sealed;
}

std::optional<std::string> SecretBox::open(ByteView sealed, std::string_view owner) const {
  for (const Key& key : keys_) {
    if (auto secret = open_with(key, sealed, owner)) return secret;
  }
  return std::nullopt;
}

bool SecretBox::is_of_first_key(ByteView sealed, std::string_view owner) const {
  auto secret = open_with(keys_.front(), sealed, owner);
  if (!secret) return false;
  wipe(*secret);
  return true;
}

}  // namespace fluxora::core
