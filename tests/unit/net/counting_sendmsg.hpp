#pragma once

#include <cstdint>

namespace fluxora::net::test {

/// How often this program has called sendmsg(), with which the server writes WebSocket frames, and some HTTP answers.
[[nodiscard]] std::uint64_t writes_of_messages();

}  // namespace fluxora::net::test
