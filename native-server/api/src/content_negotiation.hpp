#pragma once

#include <string_view>

#include "fluxora/net/http_message.hpp"

/// What a client likes of what there is: RFC 9110 section 12.5. Qualities are in thousandths, the lines of a header are
/// one list, and items that can't be read are passed over.
namespace fluxora::api {

/// How much a client likes a media type, by the most specific range of its Accept lines that has it; 1,000 where there
/// is no Accept, 0 where none of its ranges has the type. Section 12.5.1.
[[nodiscard]] unsigned accepted_quality(const net::Request& request, std::string_view type, std::string_view subtype);

/// How much a client likes a content coding, or "identity", by its Accept-Encoding lines, where a coding's own name
/// counts over `*`; 0 where neither is there, or no Accept-Encoding: such a client is best given no coding at all.
/// Section 12.5.3.
[[nodiscard]] unsigned accepted_coding_quality(const net::Request& request, std::string_view coding);

}  // namespace fluxora::api
