#pragma once

#include <cstdint>

namespace fluxora::net::test {

/// How often this program has sent without waiting, which is how the server writes WebSocket frames.
[[nodiscard]] std::uint64_t writes_of_messages();

}  // namespace fluxora::net::test
