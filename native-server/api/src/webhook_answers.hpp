#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "fluxora/api/api.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/ports/webhooks.hpp"
#include "json_fields.hpp"

namespace fluxora::api {

// What the routes about webhooks share. SPEC section 8, "Sending".

/// As answers and filters write them.
inline constexpr std::array<std::pair<ports::DeliveryState, std::string_view>, 4> delivery_states = {
    {{ports::DeliveryState::waiting, "waiting"},
     {ports::DeliveryState::delivered, "delivered"},
     {ports::DeliveryState::dead, "dead"},
     {ports::DeliveryState::cancelled, "cancelled"}}};

void write_delivery(core::JsonWriter& json, const ports::WebhookDelivery& delivery);
/// For writers of an object that has more than a delivery's members.
void write_delivery_members(core::JsonWriter& json, const ports::WebhookDelivery& delivery);

/// 202 with the delivery and where to see it: it is due at once.
[[nodiscard]] net::Response due_delivery_response(const ApiContext& context, const ports::WebhookDelivery& delivery);

/// The end of a page: `has_more` and `next_cursor`, the place of the last on this page.
void write_page_end(core::JsonWriter& json, bool has_more, std::string_view last_place, std::string_view filters);

/// 404 or 409. `what` there is none of: "endpoint", "delivery", "replay".
[[nodiscard]] net::Response webhook_refusal(ports::WebhookRefusal refusal, std::string_view what,
                                            const net::Request& request);

/// The member `endpointId`, which must be there.
std::optional<std::uint64_t> read_endpoint_id(JsonFields& fields);
/// 400 for an `endpointId` that is no endpoint's.
[[nodiscard]] net::Response unknown_endpoint_id(const net::Request& request);

/// Something may be due now.
void wake_webhooks(const ApiContext& context);

}  // namespace fluxora::api
