#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "fluxora/core/result.hpp"

namespace fluxora::bench {

/// A measured function that does its work wrong measures nothing: that ends the program.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fluxora_bench: %s\n", what);
  std::exit(1);
}

template <class T>
T must(core::Result<T> result, const char* what) {
  require(result.ok(), what);
  return *std::move(result);
}

}  // namespace fluxora::bench
