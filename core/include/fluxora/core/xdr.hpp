#pragma once

#include <cstdint>
#include <string_view>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/result.hpp"

namespace fluxora::core {

/// Reads XDR (RFC 4506) from a view that must outlive it. After the first error every further read
/// returns zero values and the error stays, so a caller may read a whole struct and look once.
class XdrReader {
 public:
  explicit XdrReader(ByteView input) noexcept : input_(input) {}

  std::uint32_t read_u32() noexcept;
  std::int32_t read_i32() noexcept { return static_cast<std::int32_t>(read_u32()); }
  std::uint64_t read_u64() noexcept;
  std::int64_t read_i64() noexcept { return static_cast<std::int64_t>(read_u64()); }
  /// A bool that must be 0 or 1, else xdr_invalid_value.
  bool read_bool() noexcept;
  /// Exactly `size` bytes and their zero padding (xdr_nonzero_padding).
  ByteView read_fixed(std::size_t size) noexcept;
  /// A length (xdr_too_long above `max`), that many bytes and their padding.
  ByteView read_variable(std::size_t max) noexcept;

  [[nodiscard]] std::size_t remaining() const noexcept { return input_.size() - offset_; }
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] Error error() const noexcept { return error_; }
  /// Marks the input as bad at this place; the first call wins.
  void fail(ErrorCode code) noexcept;

 private:
  ByteView take(std::size_t size) noexcept;

  ByteView input_;
  std::size_t offset_ = 0;
  bool failed_ = false;
  Error error_{ErrorCode::xdr_truncated, 0};
};

/// Appends XDR to a buffer of the caller's. Lengths are the caller's to keep under 2^32.
class XdrWriter {
 public:
  explicit XdrWriter(Bytes& output) noexcept : output_(output) {}

  void write_u32(std::uint32_t value);
  void write_u64(std::uint64_t value);
  void write_bool(bool value) { write_u32(value ? 1 : 0); }
  void write_fixed(ByteView bytes);
  void write_variable(ByteView bytes);
  void write_string(std::string_view text) { write_variable(as_bytes(text)); }

 private:
  /// Where the next `size` bytes go; they are zeros.
  std::uint8_t* grow(std::size_t size);

  Bytes& output_;
};

}  // namespace fluxora::core
