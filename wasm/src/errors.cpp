#include "exchange.hpp"

using namespace fluxora;

extern "C" {

/// Gives the name that clients see, and the sentence for people, of a status that is a core error's.
wasm::Status fluxora_error_name(wasm::Status status) {
  if (status == wasm::status_ok || status > 0xFF) return wasm::status_argument_invalid;
  return wasm::give(core::error_name(static_cast<core::ErrorCode>(status - 1)));
}
wasm::Status fluxora_error_message(wasm::Status status) {
  if (status == wasm::status_ok || status > 0xFF) return wasm::status_argument_invalid;
  return wasm::give(core::error_message(static_cast<core::ErrorCode>(status - 1)));
}

}  // extern "C"
