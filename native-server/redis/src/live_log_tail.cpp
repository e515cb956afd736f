#include "live_log_tail.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::redis {

using std::chrono::milliseconds;

LiveLogTail::LiveLogTail(MakeTail make_tail, LogBus& bus, const ports::Clock& clock, Counts& counts)
    : make_tail_(std::move(make_tail)), bus_(bus), clock_(clock), counts_(counts), tail_(make_tail_()) {}

ports::LogHead LiveLogTail::head() {
  const ports::LogHead head = tail_->head();
  know(head);
  return head;
}

ports::EventPage LiveLogTail::read_after(std::uint64_t seq, std::size_t limit) {
  if (auto page = read_bus(seq, limit)) {
    ++counts_.from_bus;
    return *std::move(page);
  }
  ++counts_.from_database;
  return read_database(seq, limit);
}

bool LiveLogTail::follows_the_bus() const {
  const core::UnixMillis unread = clock_.now() - read_at_;
  return !bus_.publishes() && unread >= 0 && unread < longest_unread.count() && bus_.inbox().is_trusted();
}

std::optional<ports::EventPage> LiveLogTail::read_bus(std::uint64_t seq, std::size_t limit) {
  if (!follows_the_bus()) return std::nullopt;
  auto entries = bus_.inbox().take_after(seq, limit);
  if (!entries) return std::nullopt;
  known_.head_seq = std::max(known_.head_seq, entries->empty() ? seq : entries->back().seq);
  return ports::EventPage{std::move(*entries), bus_.inbox().promised() > known_.head_seq, known_};
}

ports::EventPage LiveLogTail::read_database(std::uint64_t seq, std::size_t limit) {
  const std::uint64_t promised = bus_.inbox().promised();
  ports::EventPage page = tail_->read_after(seq, limit);
  // What was told before this read was committed before it, or was never true.
  if (page.head.epoch == known_.epoch && promised > page.head.head_seq) bus_.contradict();
  know(page.head);
  bus_.stand(!bus_.inbox().is_trusted());
  if (bus_.publishes()) publish(page);
  return page;
}

void LiveLogTail::know(const ports::LogHead& head) {
  if (head.epoch != known_.epoch) bus_.follow(head.epoch);
  known_ = head;
  read_at_ = clock_.now();
}

void LiveLogTail::publish(const ports::EventPage& page) {
  const core::UnixMillis now = clock_.now();
  const core::UnixMillis silent = now - published_at_;
  // Half of it, so that a wait that ends a moment early doesn't leave a beat out.
  if (page.entries.empty() && silent >= 0 && silent < pulse.count() / 2) return;
  bus_.publish(page.head.epoch, page.entries.empty() ? page.head.head_seq : page.entries.back().seq, page.entries);
  published_at_ = now;
}

void LiveLogTail::wait(milliseconds timeout) {
  if (follows_the_bus()) {
    // Only a new connection of the database's listens to nothing.
    if (std::exchange(listens_, false)) tail_ = make_tail_();
    return bus_.inbox().wait(std::min(timeout, pulse));
  }
  listens_ = true;
  tail_->wait(bus_.publishes() ? std::min(timeout, pulse) : timeout);
}

}  // namespace fluxora::redis
