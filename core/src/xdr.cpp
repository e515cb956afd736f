#include "fluxora/core/xdr.hpp"

#include <algorithm>

namespace fluxora::core {
namespace {

std::size_t padding_of(std::size_t size) noexcept {
  return (4 - size % 4) % 4;
}

}  // namespace

void XdrReader::fail(ErrorCode code) noexcept {
  if (failed_) return;
  failed_ = true;
  error_ = {code, offset_};
}

ByteView XdrReader::take(std::size_t size) noexcept {
  if (failed_) return {};
  if (size > remaining()) {
    fail(ErrorCode::xdr_truncated);
    return {};
  }
  const ByteView bytes = input_.subspan(offset_, size);
  offset_ += size;
  return bytes;
}

std::uint32_t XdrReader::read_u32() noexcept {
  const ByteView bytes = take(4);
  if (failed_) return 0;
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

std::uint64_t XdrReader::read_u64() noexcept {
  const ByteView bytes = take(8);
  if (failed_) return 0;
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

bool XdrReader::read_bool() noexcept {
  const std::size_t begin = offset_;
  const std::uint32_t value = read_u32();
  if (value > 1) {
    offset_ = begin;  // the error is the bool's, not what follows it
    fail(ErrorCode::xdr_invalid_value);
    return false;
  }
  return value == 1;
}

ByteView XdrReader::read_fixed(std::size_t size) noexcept {
  const ByteView bytes = take(size);
  for (const std::uint8_t byte : take(padding_of(size))) {
    if (byte != 0) fail(ErrorCode::xdr_nonzero_padding);
  }
  return failed_ ? ByteView{} : bytes;
}

ByteView XdrReader::read_variable(std::size_t max) noexcept {
  const std::uint32_t size = read_u32();
  if (size > max) {
    fail(ErrorCode::xdr_too_long);
    return {};
  }
  return read_fixed(size);
}

std::uint8_t* XdrWriter::grow(std::size_t size) {
  const std::size_t at = output_.size();
  output_.resize(at + size);
  return output_.data() + at;
}

void XdrWriter::write_u32(std::uint32_t value) {
  std::uint8_t* to = grow(sizeof value);
  for (int shift = 24; shift >= 0; shift -= 8) *to++ = static_cast<std::uint8_t>(value >> shift);
}

void XdrWriter::write_u64(std::uint64_t value) {
  std::uint8_t* to = grow(sizeof value);
  for (int shift = 56; shift >= 0; shift -= 8) *to++ = static_cast<std::uint8_t>(value >> shift);
}

void XdrWriter::write_fixed(ByteView bytes) {
  std::copy(bytes.begin(), bytes.end(), grow(bytes.size() + padding_of(bytes.size())));
}

void XdrWriter::write_variable(ByteView bytes) {
  write_u32(static_cast<std::uint32_t>(bytes.size()));
  write_fixed(bytes);
}

}  // namespace fluxora::core
