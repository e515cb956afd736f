#include "stream_answers.hpp"

namespace fluxora::api {

core::UnixSeconds as_of(const core::Stream& stream, const ports::ReadPoint& point, const ports::Clock& clock) {
  return ports::as_of(stream, point, static_cast<core::UnixSeconds>(clock.now() / 1000));
}

void write_gap(core::JsonWriter& json, const core::ResumeDecision& decision) {
  if (decision.outcome != core::Resume::gap) return;
  json.key("gap").begin_object();
  json.key("from").unsigned_integer(decision.gap_from);
  json.key("to").unsigned_integer(decision.gap_to);
  json.end_object();
}

void write_resume(core::JsonWriter& json, std::string_view epoch, const core::ResumeDecision& decision) {
  json.key("resume").string(core::resume_name(decision.outcome));
  json.key("cursor").string(core::format_cursor({std::string(epoch), decision.after_seq}));
  write_gap(json, decision);
}

void add_cursor_header(net::Response& response, std::string_view epoch, std::uint64_t seq) {
  response.headers.emplace_back("X-Fluxora-Cursor", core::format_cursor({std::string(epoch), seq}));
}

}  // namespace fluxora::api
