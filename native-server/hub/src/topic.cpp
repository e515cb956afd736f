#include "fluxora/hub/topic.hpp"

namespace fluxora::hub {

std::string topic_key(const Topic& topic) {
  switch (topic.kind) {
    case Topic::Kind::stream: return "s:" + topic.value;
    case Topic::Kind::recipient: return "r:" + topic.value;
    case Topic::Kind::sender: return "f:" + topic.value;
    case Topic::Kind::all: break;
  }
  return "*";
}

bool matches(const Topic& topic, const core::LogEntry& entry) {
  switch (topic.kind) {
    case Topic::Kind::stream: return entry.stream_id == topic.value;
    case Topic::Kind::recipient: return entry.stream && entry.stream->recipient == topic.value;
    case Topic::Kind::sender: return entry.stream && entry.stream->sender == topic.value;
    case Topic::Kind::all: break;
  }
  return true;
}

}  // namespace fluxora::hub
