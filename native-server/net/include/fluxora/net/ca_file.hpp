#pragma once

#include <string>

namespace fluxora::net {

/// Whether a file can be read as PEM and has a certificate in it; no less is needed of what names authorities.
[[nodiscard]] bool holds_certificates(const std::string& path);

}  // namespace fluxora::net
