#include "exchange.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/strkey.hpp"

using namespace fluxora;
using wasm::Status;

extern "C" {

/// Gives the payload, and the version byte in `version`.
Status fluxora_strkey_decode(const char* text, std::uint32_t size, std::uint8_t* version) {
  const auto key = core::decode_strkey(std::string_view(text, size));
  if (!key) return wasm::fail(key.error());
  *version = static_cast<std::uint8_t>(key->version);
  return wasm::give(core::ByteView(key->payload));
}

/// Gives the text of a key.
Status fluxora_strkey_encode(std::uint32_t version, const std::uint8_t* payload, std::uint32_t size) {
  if (version > 0xFF) return wasm::status_argument_invalid;
  const auto text = core::encode_strkey(static_cast<core::StrKeyVersion>(version), core::ByteView(payload, size));
  if (!text) return wasm::fail(text.error());
  return wasm::give(std::string_view(*text));
}

std::uint32_t fluxora_is_stream_party(const char* text, std::uint32_t size) {
  return core::is_stream_party(std::string_view(text, size)) ? 1 : 0;
}

std::uint32_t fluxora_is_contract_id(const char* text, std::uint32_t size) {
  return core::is_contract_id(std::string_view(text, size)) ? 1 : 0;
}

std::uint32_t fluxora_is_stream_id(const char* text, std::uint32_t size) {
  return core::is_stream_id(std::string_view(text, size)) ? 1 : 0;
}

}  // extern "C"
