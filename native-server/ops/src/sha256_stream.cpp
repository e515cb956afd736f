#include "sha256_stream.hpp"

namespace fluxora::ops {

Sha256Stream::Sha256Stream() noexcept {
  crypto_hash_sha256_init(&state_);
}

void Sha256Stream::add(std::string_view bytes) noexcept {
  crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  bytes_ += bytes.size();
}

ArchiveFacts Sha256Stream::facts() const noexcept {
  ArchiveFacts facts{bytes_, {}};
  crypto_hash_sha256_state state = state_;
  crypto_hash_sha256_final(&state, facts.sha256.data());
  return facts;
}

}  // namespace fluxora::ops
