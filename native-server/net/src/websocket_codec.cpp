#include "websocket_codec.hpp"

#include <algorithm>
#include <cstring>

namespace fluxora::net {

namespace {

constexpr std::size_t first_bytes = 2;
constexpr std::size_t mask_bytes = 4;
constexpr unsigned char length_in_2_bytes = 126;
constexpr unsigned char length_in_8_bytes = 127;

unsigned char octet(char c) noexcept {
  return static_cast<unsigned char>(c);
}

std::size_t length_bytes(unsigned char short_length) noexcept {
  return short_length == length_in_8_bytes ? 8 : short_length == length_in_2_bytes ? 2 : 0;
}

bool is_opcode(unsigned value) noexcept {
  return value <= 2 || (value >= 8 && value <= 10);
}

/// How many of the first bytes are ASCII, as far as words tell.
std::size_t ascii_words(std::string_view bytes) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  return at;
}

}  // namespace

bool Utf8Check::take_first(unsigned char byte) noexcept {
  if (byte < 0x80) return true;
  // RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
  if (byte < 0xc2 || byte > 0xf4) return false;
  missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  lowest_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
  highest_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  return true;
}

bool Utf8Check::take(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (missing_ == 0) {
      bytes.remove_prefix(ascii_words(bytes));
      if (bytes.empty()) break;
      if (!take_first(octet(bytes.front()))) return false;
    } else {
      const unsigned char byte = octet(bytes.front());
      if (byte < lowest_ || byte > highest_) return false;
      --missing_;
      lowest_ = 0x80;
      highest_ = 0xbf;
    }
    bytes.remove_prefix(1);
  }
  return true;
}

bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  if (code == close_code::none) return {};
  constexpr std::size_t max_reason_bytes = max_control_payload_bytes - 2;
  if (reason.size() > max_reason_bytes) {
    std::size_t size = max_reason_bytes;
    while (size > 0 && (octet(reason[size]) & 0xc0) == 0x80) --size;
    reason = reason.substr(0, size);
  }
  std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload.append(reason);
  return payload;
}

FrameHead::FrameHead(Opcode opcode, std::size_t payload_bytes, bool compressed) noexcept {
  constexpr unsigned fin = 0x80;
  constexpr unsigned rsv1 = 0x40;
  bytes_[0] = static_cast<char>(fin | (compressed ? rsv1 : 0U) | static_cast<unsigned>(opcode));
  const unsigned char marker = payload_bytes < length_in_2_bytes ? static_cast<unsigned char>(payload_bytes)
                               : payload_bytes <= 0xffff         ? length_in_2_bytes
                                                                 : length_in_8_bytes;
  bytes_[1] = static_cast<char>(marker);
  const std::size_t extra = length_bytes(marker);
  for (std::size_t i = 0; i < extra; ++i)
    bytes_.at(first_bytes + i) = static_cast<char>(static_cast<std::uint64_t>(payload_bytes) >> (8 * (extra - 1 - i)));
  size_ = static_cast<std::uint8_t>(first_bytes + extra);
}

FrameReader::Event FrameReader::next(std::span<char>& in) {
  if (given_) {
    given_ = false;
    control_.clear();
    if (!in_message_) message_ = std::string();
  }
  while (!over_) {
    if (!in_payload_) {
      const Progress progress = read_head(in);
      if (progress == Progress::failed) return fail(failure_);
      if (progress == Progress::need_more) return {};
    }
    const std::string_view part = take_payload(in);
    const bool ended = remaining_ == 0;
    in_payload_ = !ended;
    if (is_control(head_.opcode)) {
      if (ended) return end_control(part);
      control_.append(part);
      return {};
    }
    if (message_opcode_ == Opcode::text && !message_compressed_ && !utf8_.take(part))
      return fail(close_code::invalid_payload);
    if (ended && head_.fin) return end_message(part);
    message_.append(part);
    if (!ended) return {};
  }
  in = in.last(0);
  return {};
}

bool FrameReader::collect_head(std::span<char>& in, std::size_t size) noexcept {
  while (head_size_ < size && !in.empty()) {
    head_bytes_.at(head_size_++) = in.front();
    in = in.subspan(1);
  }
  return head_size_ >= size;
}

FrameReader::Progress FrameReader::read_head(std::span<char>& in) {
  if (!collect_head(in, first_bytes)) return Progress::need_more;
  if (!read_first_bytes()) return fail_head(close_code::protocol_error);
  const std::size_t size = first_bytes + length_bytes(octet(head_bytes_[1]) & 0x7f) + mask_bytes;
  if (!collect_head(in, size)) return Progress::need_more;
  const std::uint16_t failure = begin_payload();
  return failure == 0 ? Progress::done : fail_head(failure);
}

/// RFC 6455 sections 5.1, 5.2, 5.4 and 5.5: what the first two bytes alone may break.
bool FrameReader::read_first_bytes() noexcept {
  const unsigned char first = octet(head_bytes_[0]);
  const unsigned char second = octet(head_bytes_[1]);
  constexpr unsigned rsv1 = 0x40;
  constexpr unsigned rsv2_and_3 = 0x30;
  if (!is_opcode(first & 0x0f) || (first & rsv2_and_3) != 0) return false;
  head_.opcode = static_cast<Opcode>(first & 0x0f);
  head_.fin = (first & 0x80) != 0;
  head_.compressed = (first & rsv1) != 0;
  const bool masked = (second & 0x80) != 0;
  if (!masked) return false;
  if (is_control(head_.opcode)) return head_.fin && !head_.compressed && (second & 0x7f) <= max_control_payload_bytes;
  const bool continues = head_.opcode == Opcode::continuation;
  if (continues != in_message_) return false;
  return !head_.compressed || (limits_.compression && !continues);
}

/// Gives the code of what is wrong with the rest of the head; 0: nothing.
std::uint16_t FrameReader::begin_payload() noexcept {
  const unsigned char short_length = octet(head_bytes_[1]) & 0x7f;
  const std::size_t extra = length_bytes(short_length);
  std::uint64_t length = extra == 0 ? short_length : 0;
  for (std::size_t i = 0; i < extra; ++i) length = length << 8 | octet(head_bytes_.at(first_bytes + i));
  // Section 5.2: the fewest bytes that hold it, and 63 bits at most.
  if ((extra == 2 && length < length_in_2_bytes) || (extra == 8 && (length <= 0xffff || (length >> 63) != 0)))
    return close_code::protocol_error;
  if (!is_control(head_.opcode)) {
    if (!in_message_) {
      in_message_ = true;
      message_opcode_ = head_.opcode;
      message_compressed_ = head_.compressed;
      utf8_ = Utf8Check();
      message_bytes_ = 0;
      fragments_ = 0;
    }
    if (length > limits_.max_message_bytes - message_bytes_ || fragments_ == limits_.max_fragments)
      return close_code::too_big;
    message_bytes_ += static_cast<std::size_t>(length);
    ++fragments_;
  }
  std::copy_n(head_bytes_.begin() + static_cast<std::ptrdiff_t>(first_bytes + extra), mask_bytes, mask_.begin());
  remaining_ = length;
  head_size_ = 0;
  in_payload_ = true;
  return 0;
}

std::string_view FrameReader::take_payload(std::span<char>& in) noexcept {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, in.size()));
  const std::span<char> part = in.first(size);
  unmask(part);
  in = in.subspan(size);
  remaining_ -= size;
  return {part.data(), part.size()};
}

void FrameReader::unmask(std::span<char> bytes) noexcept {
  std::array<char, sizeof(std::uint64_t)> twice;
  std::copy(mask_.begin(), mask_.end(), twice.begin());
  std::copy(mask_.begin(), mask_.end(), twice.begin() + mask_bytes);
  std::uint64_t key = 0;
  std::memcpy(&key, twice.data(), sizeof key);
  std::size_t at = 0;
  for (; at + sizeof key <= bytes.size(); at += sizeof key) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    word ^= key;
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  for (; at < bytes.size(); ++at) bytes[at] = static_cast<char>(octet(bytes[at]) ^ octet(mask_.at(at % mask_bytes)));
  std::rotate(mask_.begin(), mask_.begin() + static_cast<std::ptrdiff_t>(bytes.size() % mask_bytes), mask_.end());
}

FrameReader::Event FrameReader::end_control(std::string_view payload) {
  if (!control_.empty()) payload = control_.append(payload);
  given_ = true;
  if (head_.opcode == Opcode::close) return read_close(payload);
  return {head_.opcode == Opcode::ping ? Event::Kind::ping : Event::Kind::pong, false, 0, payload};
}

FrameReader::Event FrameReader::read_close(std::string_view payload) {
  if (payload.size() == 1) return fail(close_code::protocol_error);
  std::uint16_t code = close_code::none;
  if (!payload.empty()) {
    code = static_cast<std::uint16_t>(octet(payload[0]) << 8 | octet(payload[1]));
    if (!is_close_code(code)) return fail(close_code::protocol_error);
    payload.remove_prefix(2);
  }
  Utf8Check utf8;
  if (!utf8.take(payload) || !utf8.complete()) return fail(close_code::invalid_payload);
  over_ = true;
  return {Event::Kind::close, false, code, payload};
}

FrameReader::Event FrameReader::end_message(std::string_view payload) {
  if (!message_.empty()) payload = message_.append(payload);
  given_ = true;
  in_message_ = false;
  const bool is_text = message_opcode_ == Opcode::text;
  if (is_text && !message_compressed_ && !utf8_.complete()) return fail(close_code::invalid_payload);
  return {is_text ? Event::Kind::text : Event::Kind::binary, message_compressed_, 0, payload};
}

FrameReader::Event FrameReader::fail(std::uint16_t code) noexcept {
  over_ = true;
  message_ = std::string();
  return {Event::Kind::failed, false, code, {}};
}

FrameReader::Progress FrameReader::fail_head(std::uint16_t code) noexcept {
  failure_ = code;
  return Progress::failed;
}

}  // namespace fluxora::net
