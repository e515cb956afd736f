#include "fluxora/hub/service_notice.hpp"

#include <memory>
#include <string>

#include "fluxora/core/json_writer.hpp"

namespace fluxora::hub {
namespace {

void write_reason(core::JsonWriter& json, std::string_view reason, core::UnixMillis now) {
  json.key("reason").string(reason);
  json.key("timestamp").string(core::format_rfc3339_millis(now));
  json.end_object();
}

}  // namespace

Notice service_notice(bool degraded, std::string_view reason, core::UnixMillis now) {
  const std::string_view event = degraded ? "service.degraded" : "service.recovered";
  auto message = std::make_shared<std::string>();
  core::JsonWriter json(*message);
  json.begin_object();
  json.key("type").string("service");
  json.key("event").string(event);
  write_reason(json, reason, now);

  auto sse = std::make_shared<std::string>("event: ");
  sse->append(event).append("\ndata: ");
  core::JsonWriter data(*sse);
  data.begin_object();
  write_reason(data, reason, now);
  sse->append("\n\n");
  return {{std::move(message), std::move(sse)}};
}

}  // namespace fluxora::hub
