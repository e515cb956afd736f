#include "message_reader.hpp"

#include <algorithm>
#include <stdexcept>

namespace fluxora::load {
namespace {

constexpr unsigned char final_bit = 0x80;
constexpr unsigned char reserved_bits = 0x70;
constexpr unsigned char mask_bit = 0x80;
constexpr unsigned char opcode_bits = 0x0f;
constexpr unsigned char length_bits = 0x7f;
constexpr unsigned char two_byte_length = 126;
constexpr unsigned char eight_byte_length = 127;
constexpr unsigned char opcode_text = 1;
constexpr unsigned char opcode_close = 8;
constexpr unsigned char opcode_ping = 9;
// Of one event, and of one frame: far more than any has.
constexpr std::size_t longest_message = 1024 * 1024;

Message::Kind kind_of(unsigned char opcode) {
  switch (opcode) {
    case opcode_text: return Message::Kind::text;
    case opcode_ping: return Message::Kind::ping;
    case opcode_close: return Message::Kind::close;
    default: throw std::runtime_error("a frame of opcode " + std::to_string(opcode));
  }
}

}  // namespace

std::size_t FrameReader::header_length() const noexcept {
  if (header_size_ < 2) return 2;
  const unsigned char length = header_[1] & length_bits;
  if (length == two_byte_length) return 4;
  return length == eight_byte_length ? 10 : 2;
}

void FrameReader::begin_payload() {
  if ((header_[0] & final_bit) == 0 || (header_[0] & reserved_bits) != 0 || (header_[1] & mask_bit) != 0) {
    throw std::runtime_error("a frame that is fragmented, compressed or masked");
  }
  size_ = header_[1] & length_bits;
  if (header_size_ > 2) size_ = 0;
  for (std::size_t i = 2; i < header_size_; ++i) size_ = size_ << 8 | header_[i];
  if (size_ > longest_message) throw std::runtime_error("a frame of " + std::to_string(size_) + " bytes");
  left_ = size_;
  in_payload_ = true;
}

void FrameReader::tell(std::string_view head, const OnMessage& on_message) {
  in_payload_ = false;
  header_size_ = 0;
  on_message({kind_of(header_[0] & opcode_bits), head, size_});
  head_.clear();
}

void FrameReader::read_payload(std::string_view& bytes, const OnMessage& on_message) {
  const std::string_view piece = bytes.substr(0, left_);
  bytes.remove_prefix(piece.size());
  left_ -= piece.size();
  if (left_ == 0 && piece.size() == size_) return tell(piece, on_message);
  if (head_.size() < kept_head) head_ += piece.substr(0, kept_head - head_.size());
  if (left_ == 0) tell(head_, on_message);
}

void FrameReader::read(std::string_view bytes, const OnMessage& on_message) {
  while (!bytes.empty()) {
    if (in_payload_) {
      read_payload(bytes, on_message);
      continue;
    }
    header_[header_size_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (header_size_ < header_length()) continue;
    begin_payload();
    if (size_ == 0) tell({}, on_message);
  }
}

void EventReader::read(std::string_view bytes, const OnMessage& on_message) {
  pending_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end; (end = pending_.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
    const std::string_view event = std::string_view(pending_).substr(begin, end + 2 - begin);
    on_message({Message::Kind::text, event, event.size()});
  }
  pending_.erase(0, begin);
  if (pending_.size() > longest_message) throw std::runtime_error("an event without an end");
}

}  // namespace fluxora::load
