#include "websocket_outbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

#include "websocket_thread.hpp"
#include "worker.hpp"

namespace fluxora::net {

namespace {

/// A payload up to this size is copied behind its head, to others that leave with it; a larger one leaves from where
/// it is.
constexpr std::size_t max_copied_bytes = 16 * 1024;
constexpr std::size_t max_waiting_controls = 16;
/// An idle outbox keeps the room of so many messages.
constexpr std::size_t kept_messages = 16;

}  // namespace

/// The frames of one write: copied into the thread's buffer, and perhaps a large payload behind them.
class WebSocketOutbox::Batch {
 public:
  explicit Batch(std::span<char> buffer) : buffer_(buffer) {}

  /// False where it doesn't fit, or something must be last. `skip`: so much of it is written already.
  bool add(const Item& item, std::size_t skip = 0) {
    const FrameHead head(item.opcode, item.payload->size(), item.compressed);
    const std::size_t head_skip = std::min(skip, head.bytes().size());
    const std::string_view rest_of_head = head.bytes().substr(head_skip);
    const std::string_view rest = std::string_view(*item.payload).substr(skip - head_skip);
    const bool copied = rest.size() <= max_copied_bytes;
    if (!tail_.empty() || rest_of_head.size() + (copied ? rest.size() : 0) > buffer_.size() - used_) return false;
    copy(rest_of_head);
    if (copied)
      copy(rest);
    else
      tail_ = rest;
    return true;
  }

  [[nodiscard]] std::size_t size() const noexcept { return used_ + tail_.size(); }

  ssize_t send(int socket) const noexcept {
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (tail_.empty()) return ::send(socket, buffer_.data(), used_, flags);  // the kernel has less to look at
    std::array<iovec, 2> parts = {{{buffer_.data(), used_}, {const_cast<char*>(tail_.data()), tail_.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return ::sendmsg(socket, &message, flags);
  }

 private:
  void copy(std::string_view bytes) noexcept {
    std::copy(bytes.begin(), bytes.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += bytes.size();
  }

  std::span<char> buffer_;
  std::size_t used_ = 0;
  std::string_view tail_;
};

void WebSocketOutbox::push_message(Frame payload, Opcode opcode) {
  const std::size_t bytes = payload->size();
  // Instead of growing, the room of those that are gone, once it is half of all.
  if (messages_.size() == messages_.capacity() && first_ >= (messages_.size() + 1) / 2) {
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  if (messages_.capacity() == 0) messages_.reserve(kept_messages);
  messages_.push_back({std::move(payload), static_cast<std::uint32_t>(bytes), opcode, false, false});
  ++queued_messages_;
  queued_bytes_ += bytes;
  counters_.queued_messages.add();
  counters_.queued_bytes.add(bytes);
}

void WebSocketOutbox::push_control(Opcode opcode, std::string_view payload) {
  controls_.push_back({std::make_shared<const std::string>(payload), 0, opcode, false, true});
}

void WebSocketOutbox::push_pong(std::string_view payload) {
  if (blocked_ || controls_.size() >= max_waiting_controls)
    std::erase_if(controls_, [](const Item& item) { return item.opcode == Opcode::pong; });
  push_control(Opcode::pong, payload);
}

WebSocketOutbox::Written WebSocketOutbox::write(int socket, WebSocketThread& thread, bool compress) {
  Written written;
  while (current_.payload || !controls_.empty() || first_ < messages_.size()) {
    Batch batch(thread.write_buffer);
    fill(batch, thread, compress);
    const ssize_t sent = batch.send(socket);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
      written.state = State::failed;
      return written;
    }
    const auto bytes = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    settle(bytes, written);
    if (bytes < batch.size()) {
      blocked_ = true;
      written.state = State::blocked;
      return written;
    }
  }
  give_storage_back();
  return written;
}

void WebSocketOutbox::fill(Batch& batch, WebSocketThread& thread, bool compress) {
  if (current_.payload && !batch.add(current_, current_written_)) return;
  for (const Item& item : controls_)
    if (!batch.add(item)) return;
  for (std::size_t i = first_; i < messages_.size(); ++i) {
    Item& item = messages_[i];
    if (compress && !item.compressed && !item.incompressible) {
      Frame smaller;
      if (item.payload->size() >= min_compressed_message_bytes) smaller = thread.compressed.of(item.payload);
      item.compressed = smaller != nullptr;
      item.incompressible = smaller == nullptr;
      if (smaller) item.payload = std::move(smaller);
    }
    if (!batch.add(item)) return;
  }
}

/// Lets go of what `bytes` more bytes have written, in fill()'s order.
void WebSocketOutbox::settle(std::size_t bytes, Written& written) {
  bytes += std::exchange(current_written_, 0);
  while (bytes > 0) {
    Item& item = front();
    const std::size_t size =
        FrameHead(item.opcode, item.payload->size(), item.compressed).bytes().size() + item.payload->size();
    if (bytes < size) {
      if (!current_.payload) {
        Item begun = std::move(item);
        pop_front();
        current_ = std::move(begun);
      }
      current_written_ = bytes;
      return;
    }
    bytes -= size;
    if (item.is_message()) {
      ++written.messages;
      written.bytes += item.counted_bytes;
      uncount(item);
    }
    pop_front();
  }
}

WebSocketOutbox::Item& WebSocketOutbox::front() noexcept {
  if (current_.payload) return current_;
  return controls_.empty() ? messages_[first_] : controls_.front();
}

void WebSocketOutbox::pop_front() {
  if (current_.payload)
    current_ = Item();
  else if (!controls_.empty())
    controls_.erase(controls_.begin());
  else
    messages_[first_++] = Item();
}

void WebSocketOutbox::uncount(const Item& item) {
  --queued_messages_;
  queued_bytes_ -= item.counted_bytes;
  counters_.queued_messages.subtract(1);
  counters_.queued_bytes.subtract(item.counted_bytes);
}

void WebSocketOutbox::drop_messages() {
  for (; first_ < messages_.size(); ++first_) uncount(messages_[first_]);
  give_storage_back();
}

void WebSocketOutbox::clear() {
  if (current_.payload && current_.is_message()) uncount(current_);
  current_ = Item();
  current_written_ = 0;
  controls_.clear();
  drop_messages();
}

void WebSocketOutbox::give_storage_back() {
  messages_.clear();
  first_ = 0;
  if (messages_.capacity() > kept_messages) messages_ = std::vector<Item>();
}

}  // namespace fluxora::net
