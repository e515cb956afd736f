#include "exchange.hpp"

#include <cstdlib>

namespace fluxora::wasm {
namespace {

struct InputArea {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
};

InputArea input;
std::string output;
std::size_t output_begin = 0;
std::size_t error_offset = 0;

// What a call leaves behind for the next one to reuse; above it the memory goes back to the heap.
constexpr std::size_t kept_output = std::size_t{1} << 20;
constexpr std::uint32_t input_min = 4096;

}  // namespace

Status fail(core::Error error) noexcept {
  error_offset = error.offset;
  return static_cast<Status>(error.code) + 1;
}

Status fail(core::ErrorCode code) noexcept {
  return fail(core::Error{code, 0});
}

std::string& begin_output() noexcept {
  output.clear();
  output_begin = 0;
  if (output.capacity() > kept_output) output.shrink_to_fit();
  return output;
}

std::string& begin_output_from_end(std::size_t size) {
  output_begin = 0;
  if (output.size() < size) output.resize(size);
  return output;
}

void end_output_at(std::size_t begin) noexcept {
  output_begin = begin;
}

Status give(std::string_view text) {
  begin_output().append(text);
  return status_ok;
}

Status give(core::ByteView bytes) {
  return give(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void append_output(std::string_view text) {
  output.append(text);
}

bool has_room_for(std::size_t bytes) noexcept {
  void* block = std::malloc(bytes);
  // Without this the compiler may drop the pair of calls, and with it the answer.
  __asm__ volatile("" : "+r"(block) : : "memory");
  if (block == nullptr) return false;
  std::free(block);
  return true;
}

void* allocate(std::size_t bytes) noexcept {
  return has_room_for(bytes + heap_left_to_core) ? std::malloc(bytes) : nullptr;
}

}  // namespace fluxora::wasm

using namespace fluxora;

extern "C" {

/// Room for `size` bytes of input, 0 when there is none. Earlier input and its address are lost when it grows.
std::uint8_t* fluxora_input(std::uint32_t size) {
  if (size > wasm::input_max) return nullptr;
  if (wasm::input.bytes != nullptr && size <= wasm::input.size) return wasm::input.bytes;
  if (size < wasm::input_min) size = wasm::input_min;
  // The old area stays until there is a new one: a full memory must not take the small inputs' place away.
  auto* grown = static_cast<std::uint8_t*>(wasm::allocate(size));
  if (grown == nullptr) return nullptr;
  std::free(wasm::input.bytes);
  wasm::input = {grown, size};
  return grown;
}

std::uint32_t fluxora_input_max() {
  return static_cast<std::uint32_t>(wasm::input_max);
}

const char* fluxora_output() {
  return wasm::output.data() + wasm::output_begin;
}
std::uint32_t fluxora_output_size() {
  return static_cast<std::uint32_t>(wasm::output.size() - wasm::output_begin);
}

/// The input byte at which the last failing call noticed its error.
std::uint32_t fluxora_error_offset() {
  return static_cast<std::uint32_t>(wasm::error_offset);
}

}  // extern "C"
