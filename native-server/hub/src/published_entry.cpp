#include "fluxora/hub/published_entry.hpp"

#include <utility>

#include "fluxora/core/cursor.hpp"
#include "fluxora/core/json_writer.hpp"

namespace fluxora::hub {
namespace {

constexpr std::size_t usual_message_bytes = 2'048;
/// Of an entry and its messages, beside its XDR.
constexpr std::size_t usual_entry_bytes = 2'048;

std::string websocket_message(const core::LogEntry& entry, std::string_view epoch) {
  std::string text;
  text.reserve(usual_message_bytes);
  core::JsonWriter json(text);
  json.begin_object();
  json.key("type").string("stream_update");
  json.key("event").string(core::event_name_text(entry.event));
  json.key("streamId");
  entry.stream_id.empty() ? json.null() : json.string(entry.stream_id);
  json.key("eventId").string(entry.event_id);
  json.key("cursor").string(core::format_cursor({std::string(epoch), entry.seq}));
  json.key("timestamp").string(core::format_rfc3339(entry.closed_at));
  json.key("payload");
  core::write_log_entry_json(json, entry, epoch);
  json.end_object();
  return text;
}

/// JSON has no line break of its own, so the entry is one line of data.
std::string sse_event(const core::LogEntry& entry, std::string_view epoch) {
  std::string text;
  text.reserve(usual_message_bytes);
  text += "id: ";
  text += core::format_cursor({std::string(epoch), entry.seq});
  text += "\nevent: ";
  text += core::event_name_text(entry.event);
  text += "\ndata: ";
  core::JsonWriter json(text);
  core::write_log_entry_json(json, entry, epoch);
  text += "\n\n";
  return text;
}

}  // namespace

Frame encode_update(const core::LogEntry& entry, std::string_view epoch, FeedFormat format) {
  return std::make_shared<const std::string>(format == FeedFormat::sse ? sse_event(entry, epoch)
                                                                       : websocket_message(entry, epoch));
}

PublishedEntry::PublishedEntry(core::LogEntry entry, std::string_view epoch)
    : entry_(std::move(entry)), keys_(keys_of(entry_)), epoch_(epoch) {}

const Frame& PublishedEntry::frame(FeedFormat format) const {
  const auto index = static_cast<std::size_t>(format);
  std::call_once(made_[index], [&] { frames_[index] = encode_update(entry_, epoch_, format); });
  return frames_[index];
}

std::size_t PublishedEntry::weight() const noexcept {
  // An entry that changed no stream shows its XDR, as text that is larger.
  std::size_t xdr = entry_.value_xdr.size();
  for (const core::Bytes& topic : entry_.topics_xdr) xdr += topic.size();
  return usual_entry_bytes + xdr * (entry_.stream ? 1 : 1 + feed_formats * 2);
}

void PublishedBatch::add(core::LogEntry entry) {
  last_seq = entry.seq;
  entries.emplace_back(std::move(entry), epoch);
  weight += entries.back().weight();
}

}  // namespace fluxora::hub
