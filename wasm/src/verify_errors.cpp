#include "exchange.hpp"

using namespace fluxora;
using core::ErrorCode;

namespace {

struct ErrorText {
  std::string_view name;
  std::string_view message;
};

/// The few errors of the modules that verify webhooks alone, so that they don't carry core's other forty. A test
/// compares them with core's.
ErrorText text_of(wasm::Status status) noexcept {
  switch (static_cast<ErrorCode>(status - 1)) {
    case ErrorCode::webhook_too_many_keys: return {"WEBHOOK_TOO_MANY_KEYS", "A verifier holds at most 16 keys."};
    default: return {"WEBHOOK_SECRET_INVALID", "The webhook secret or key is not its prefix and base64."};
  }
}

}  // namespace

extern "C" {

/// As errors.cpp's, of what this module reports.
wasm::Status fluxora_error_name(wasm::Status status) {
  return wasm::give(text_of(status).name);
}
wasm::Status fluxora_error_message(wasm::Status status) {
  return wasm::give(text_of(status).message);
}

}  // extern "C"
