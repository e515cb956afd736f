#include "document.hpp"

#include <string_view>
#include <utility>

#include "content_negotiation.hpp"
#include "entity_tag.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/sha256.hpp"

namespace fluxora::api {
namespace {

const Representation& best_for(const net::Request& request, const Document& document) {
  const Representation* best = &document.representations.back();
  unsigned best_quality = 0;
  for (const Representation& one : document.representations) {
    const unsigned quality = accepted_coding_quality(request, one.coding.empty() ? "identity" : one.coding);
    if (quality <= best_quality) continue;
    best = &one;
    best_quality = quality;
  }
  return *best;
}

}  // namespace

Representation make_representation(std::string coding, std::string bytes) {
  std::string etag = "\"" + core::hex_encode(core::sha256(core::as_bytes(bytes))) + "\"";
  return {std::move(coding), std::make_shared<const std::string>(std::move(bytes)), std::move(etag)};
}

net::Response document_response(const Document& document, const net::Request& request) {
  const Representation& chosen = best_for(request, document);
  net::Response response;
  response.content_type = document.content_type;
  response.headers.emplace_back("ETag", chosen.etag);
  response.headers.emplace_back("Cache-Control", document.cache_control);
  if (document.representations.size() > 1) response.headers.emplace_back("Vary", "Accept-Encoding");
  if (if_none_match_names(request, chosen.etag)) {
    response.status = 304;
    return response;
  }
  if (!chosen.coding.empty()) response.headers.emplace_back("Content-Encoding", chosen.coding);
  response.body = chosen.bytes;
  return response;
}

}  // namespace fluxora::api
