#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/core/stream.hpp"

namespace fluxora::core {

// Addresses whose 32 bytes are all the same: 0xcc, 0x70, 0x55, 0xee, 0xdd.
inline constexpr std::string_view sample_contract = "CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND";
inline constexpr std::string_view sample_token = "CBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHAGEP";
inline constexpr std::string_view sample_sender = "GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J";
inline constexpr std::string_view sample_recipient = "GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I";
inline constexpr std::string_view sample_delegate = "GDO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO524RT";

/// Whole tokens as base units.
[[nodiscard]] constexpr Amount tokens(std::int64_t count) noexcept {
  return {Int128{count} * units_per_one};
}

[[nodiscard]] inline Hash hash_of(std::uint8_t byte) noexcept {
  Hash hash;
  hash.fill(byte);
  return hash;
}

/// Number 7 of sample_contract: a token a second from second 1,000 to 2,000, 1,000 tokens in all, as its creation
/// at log position 40, in a ledger that closed at second 900, left it.
[[nodiscard]] inline Stream sample_stream() {
  Stream stream;
  stream.id = chain_stream_id(sample_contract, 7);
  stream.sender = sample_sender;
  stream.recipient = sample_recipient;
  stream.deposit = tokens(1000);
  stream.rate_per_second = tokens(1);
  stream.start_time = 1000;
  stream.cliff_time = 1000;
  stream.end_time = 2000;
  stream.checkpoint_at = 1000;
  stream.created_at = 900'000;
  stream.updated_at = 900'000;
  stream.version = 40;
  stream.created_seq = 40;
  stream.ledger = 500;
  stream.tx_hash = hash_of(0xa1);
  return stream;
}

}  // namespace fluxora::core
