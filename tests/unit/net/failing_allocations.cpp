#include "failing_allocations.hpp"

#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
thread_local std::size_t fails_from = never;

void* allocate(std::size_t bytes) noexcept {
  return bytes >= fails_from ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}

}  // namespace

namespace fluxora::net::test {

void fail_allocations_from(std::size_t bytes) {
  fails_from = bytes;
}

void allow_allocations() {
  fails_from = never;
}

}  // namespace fluxora::net::test

// Instead of the C++ library's, for everything that is linked into this program.
void* operator new(std::size_t bytes) {
  void* const memory = allocate(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
