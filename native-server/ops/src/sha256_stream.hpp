#pragma once

#include <string_view>

#include <sodium/crypto_hash_sha256.h>

#include "fluxora/ops/backup.hpp"

namespace fluxora::ops {

/// SHA-256 and length of bytes that come one after another.
class Sha256Stream {
 public:
  Sha256Stream() noexcept;
  void add(std::string_view bytes) noexcept;
  /// Of all so far.
  [[nodiscard]] ArchiveFacts facts() const noexcept;

 private:
  crypto_hash_sha256_state state_;
  std::uint64_t bytes_ = 0;
};

}  // namespace fluxora::ops
