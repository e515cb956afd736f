#pragma once

#include <cstddef>

namespace fluxora::net::test {

/// From now on `operator new` throws on this thread where it is asked for `bytes` or more.
void fail_allocations_from(std::size_t bytes);
/// The end of that.
void allow_allocations();

}  // namespace fluxora::net::test
