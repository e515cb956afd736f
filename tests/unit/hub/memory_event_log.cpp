#include "memory_event_log.hpp"

#include <utility>

#include "stream_samples.hpp"

namespace fluxora::hub::test {

std::string stream_id(std::uint64_t number) {
  return number == 0 ? std::string() : core::chain_stream_id(core::sample_contract, number);
}

std::uint64_t MemoryEventLog::append(std::uint64_t stream_number, const std::string& sender,
                                     const std::string& recipient) {
  core::LogEntry entry;
  entry.event_id = "event-" + std::to_string(extent.head_seq + 1);
  entry.contract_id = core::sample_contract;
  entry.closed_at = 1'001 + extent.head_seq;
  entry.value_xdr.assign(value_bytes, 0xff);  // no XDR: shown as base64
  if (stream_number == 0) {
    entry.event = core::EventName::protocol_event;
  } else {
    entry.event = core::EventName::stream_updated;
    entry.stream_id = stream_id(stream_number);
    core::Stream stream = core::sample_stream();
    stream.id = entry.stream_id;
    stream.sender = sender;
    stream.recipient = recipient;
    entry.stream = std::move(stream);
  }
  return append(std::move(entry));
}

std::uint64_t MemoryEventLog::append(core::LogEntry entry) {
  entry.seq = ++extent.head_seq;
  entries_.push_back(std::move(entry));
  return extent.head_seq;
}

void MemoryEventLog::become(const std::string& epoch) {
  extent = {epoch, 1, 0};
  entries_.clear();
}

void MemoryEventLog::append_many(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    append(1, std::string(core::sample_sender), std::string(core::sample_recipient));
  }
}

std::vector<core::LogEntry> MemoryEventLog::entries_after(std::uint64_t seq, std::size_t limit) const {
  std::vector<core::LogEntry> found;
  for (std::uint64_t next = std::max(seq + 1, extent.oldest_seq); next <= extent.head_seq && found.size() < limit;
       ++next) {
    found.push_back(entry(next));
  }
  return found;
}

void MemoryEventLog::head(ports::Reply<ports::LogHead> reply) {
  asked_.emplace_back([this, reply = std::move(reply)] { failure ? reply(tl::unexpected(*failure)) : reply(extent); });
}

void MemoryEventLog::read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
                          ports::Reply<ports::EventPage> reply) {
  reads.push_back({after_seq, limit, std::move(filter)});
  asked_.emplace_back([this, read = reads.back(), reply = std::move(reply)] {
    failure ? reply(tl::unexpected(*failure)) : reply(page(read));
  });
}

void MemoryEventLog::answer(std::size_t index) {
  const std::function<void()> question = std::move(asked_.at(index));
  asked_.erase(asked_.begin() + static_cast<std::ptrdiff_t>(index));
  question();
}

ports::EventPage MemoryEventLog::page(const Read& read) const {
  ports::EventPage page;
  page.head = extent;
  for (std::uint64_t seq = std::max(read.after_seq.value_or(0) + 1, extent.oldest_seq); seq <= extent.head_seq; ++seq) {
    if (read.filter.stream_id && entry(seq).stream_id != *read.filter.stream_id) continue;
    if (read.filter.event && entry(seq).event != *read.filter.event) continue;
    if (page.entries.size() == read.limit) {
      page.has_more = true;
      break;
    }
    page.entries.push_back(entry(seq));
  }
  return page;
}

}  // namespace fluxora::hub::test
