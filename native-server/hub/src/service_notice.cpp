#include "fluxora/hub/service_notice.hpp"

#include "fluxora/core/json_writer.hpp"

namespace fluxora::hub {

Frame service_notice(bool degraded, std::string_view reason, core::UnixMillis now) {
  auto text = std::make_shared<std::string>();
  core::JsonWriter json(*text);
  json.begin_object();
  json.key("type").string("service");
  json.key("event").string(degraded ? "service.degraded" : "service.recovered");
  json.key("reason").string(reason);
  json.key("timestamp").string(core::format_rfc3339_millis(now));
  json.end_object();
  return text;
}

}  // namespace fluxora::hub
