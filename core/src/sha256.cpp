#include "fluxora/core/sha256.hpp"

#include <sodium/crypto_hash_sha256.h>

namespace fluxora::core {

Hash sha256(ByteView bytes) noexcept {
  Hash hash;
  crypto_hash_sha256(hash.data(), bytes.data(), bytes.size());
  return hash;
}

}  // namespace fluxora::core
