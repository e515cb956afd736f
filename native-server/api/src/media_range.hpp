#pragma once

#include <string_view>

#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// How much a client likes a media type, in thousandths, by the most specific range of its Accept lines that has it;
/// 1,000 where there is no Accept, 0 where none of its ranges has the type. Ranges that can't be read are passed over.
/// RFC 9110 section 12.5.1.
[[nodiscard]] unsigned accepted_quality(const net::Request& request, std::string_view type, std::string_view subtype);

}  // namespace fluxora::api
