// StrKeys: one text a key. What is decoded is encoded again as the same text, and a changed character is noticed.
#include <string>
#include <string_view>

#include "fluxora/core/stream.hpp"
#include "fluxora/core/strkey.hpp"
#include "require.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

void check_text(std::string_view text) {
  const auto key = core::decode_strkey(text);
  const bool account = key && key->version == core::StrKeyVersion::account;
  const bool contract = key && key->version == core::StrKeyVersion::contract;
  require(core::is_stream_party(text) == (account || contract), "a stream's party is an account or a contract");
  require(core::is_contract_id(text) == contract, "a contract's id is a contract's key");
  if (!key) {
    require(key.error().offset <= text.size(), "an error lies in the text");
    return;
  }
  const auto again = core::encode_strkey(key->version, key->payload);
  require(again && *again == text, "decode, then encode gives the text");
}

/// A key of any bytes: what can be encoded is decoded again. `changed` names one of its characters.
void check_payload(core::StrKeyVersion version, core::ByteView payload, std::uint8_t changed) {
  const auto text = core::encode_strkey(version, payload);
  if (!text) return;
  const auto key = core::decode_strkey(*text);
  if (!key) {
    require(key.error().code == core::ErrorCode::strkey_unknown_version, "only a version may be unknown");
    return;
  }
  require(key->version == version, "encode, then decode gives the version");
  require(core::ByteView(key->payload).size() == payload.size() &&
              std::equal(payload.begin(), payload.end(), key->payload.begin()),
          "encode, then decode gives the payload");

  std::string other = *text;
  char& character = other[changed % other.size()];
  character = character == 'A' ? 'B' : 'A';
  require(!core::decode_strkey(other), "one changed character is noticed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_text(text);
  (void)core::is_stream_id(text);
  if (size >= 2) {
    check_payload(static_cast<core::StrKeyVersion>(data[0]), core::ByteView(data + 2, size - 2), data[1]);
  }
  return 0;
}
