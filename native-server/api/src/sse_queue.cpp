#include "sse_queue.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace fluxora::api {

void SseQueue::push(hub::Frame message) {
  bytes_ += message->size();
  counters_.queued_bytes += message->size();
  ++counters_.queued_messages;
  messages_.push_back(std::move(message));
}

std::string SseQueue::take(std::size_t most_bytes) {
  std::string taken;
  taken.reserve(std::min(bytes_, most_bytes));
  while (!messages_.empty()) {
    const std::string_view rest = std::string_view(*messages_.front()).substr(begun_);
    if (taken.size() + rest.size() > most_bytes) {
      if (!taken.empty()) break;
      taken.append(rest.substr(0, most_bytes));
      begun_ += most_bytes;
      break;
    }
    taken.append(rest);
    begun_ = 0;
    messages_.pop_front();
    ++messages_taken_;
    --counters_.queued_messages;
    ++counters_.messages_sent;
  }
  bytes_ -= taken.size();
  bytes_taken_ += taken.size();
  counters_.queued_bytes -= taken.size();
  counters_.bytes_sent += taken.size();
  return taken;
}

void SseQueue::drop_waiting() {
  const std::size_t kept = begun_ > 0 ? 1 : 0;
  while (messages_.size() > kept) {
    bytes_ -= messages_.back()->size();
    counters_.queued_bytes -= messages_.back()->size();
    --counters_.queued_messages;
    messages_.pop_back();
  }
}

SseQueue::~SseQueue() {
  counters_.queued_messages -= messages_.size();
  counters_.queued_bytes -= bytes_;
}

}  // namespace fluxora::api
