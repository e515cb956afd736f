#pragma once

#include <cstdio>
#include <cstdlib>

namespace fluxora::fuzz {

/// Ends the run when a property doesn't hold; libFuzzer then keeps the input.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

}  // namespace fluxora::fuzz
