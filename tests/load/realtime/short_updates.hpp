#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "fluxora/net/router.hpp"

namespace fluxora::load {

/// A router with one path, the WebSocket endpoint that `whole` has there, whose longer messages go out as `bytes` bytes
/// of padding: the feed's own work, with updates of a size that its messages never have. `whole` outlives it.
[[nodiscard]] std::shared_ptr<const net::Router> with_short_updates(const net::Router& whole, std::string_view path,
                                                                    std::size_t bytes, unsigned io_threads);

}  // namespace fluxora::load
