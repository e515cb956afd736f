#include "fluxora/core/webhook_body.hpp"

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/webhook_signature.hpp"

namespace fluxora::core {
namespace {

std::string entry_body(const LogEntry& entry, std::string_view epoch) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("type").string(event_name_text(entry.event));
  json.key("timestamp").string(format_rfc3339(entry.closed_at));
  json.key("data");
  write_log_entry_json(json, entry, epoch);
  json.end_object();
  return body;
}

}  // namespace

std::string webhook_body(const LogEntry& entry, std::string_view epoch) {
  std::string body = entry_body(entry, epoch);
  if (body.size() <= webhook_body_max) return body;
  // `raw` alone can be that large, and is made of these two.
  LogEntry without = entry;
  without.topics_xdr.clear();
  without.value_xdr.clear();
  body = entry_body(without, epoch);
  constexpr std::string_view data_end = "}}";
  body.replace(body.size() - data_end.size(), data_end.size(), R"(,"rawOmitted":true}})");
  return body;
}

std::string webhook_test_body(std::string_view endpoint_id, UnixMillis now) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("type").string("webhook.test");
  json.key("timestamp").string(format_rfc3339_millis(now));
  json.key("data").begin_object();
  json.key("endpointId").string(endpoint_id);
  json.end_object().end_object();
  return body;
}

}  // namespace fluxora::core
