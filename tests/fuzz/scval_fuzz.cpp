// ScVals: one sequence of bytes a value, and JSON for each of them.
#include <algorithm>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "fluxora/core/scval.hpp"
#include "fluxora/core/scval_json.hpp"
#include "require.hpp"
#include "scval_encoder.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

std::string json_of(const core::ScVal& value) {
  std::string text;
  core::JsonWriter json(text);
  core::write_scval_json(json, value);
  return text;
}

void check_xdr(core::ByteView xdr) {
  const auto value = core::decode_scval(xdr);
  const auto from_base64 = core::decode_scval_base64(core::base64_encode(xdr));
  require(value.ok() == from_base64.ok(), "base64 changes nothing");
  if (!value) {
    require(value.error() == from_base64.error(), "base64 changes no error");
    require(value.error().offset <= xdr.size(), "an error lies in the input");
    return;
  }
  const core::Bytes again = fuzz::encode_scval(*value);
  require(std::equal(xdr.begin(), xdr.end(), again.begin(), again.end()), "decode, then encode gives the bytes");
  const std::string json = json_of(*value);
  require(nlohmann::json::accept(json), "a value's JSON is JSON");
  require(json == json_of(*from_base64), "the same value has the same JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_xdr(core::ByteView(data, size));
  // As text, so that what isn't base64 is met too.
  const auto value = core::decode_scval_base64(std::string_view(reinterpret_cast<const char*>(data), size));
  if (value) require(nlohmann::json::accept(json_of(*value)), "a value's JSON is JSON");
  return 0;
}
