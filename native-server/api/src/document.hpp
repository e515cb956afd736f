#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// Bytes that are made once, at start, and that all their readers share.
struct Representation {
  std::string coding;  ///< as Content-Encoding names it; empty: the bytes as they are
  std::shared_ptr<const std::string> bytes;
  std::string etag;  ///< quotes included: a strong one, of these very bytes
};

/// A resource that stays the same as long as the server runs.
struct Document {
  std::string content_type;
  std::string cache_control;
  std::vector<Representation> representations;  ///< what is liked better first; the last one has no coding
};

[[nodiscard]] Representation make_representation(std::string coding, std::string bytes);

/// 200 with the representation that the client likes best, or 304 where it has that one: RFC 9110 sections 12.5.3 and
/// 13.1.2. A client that refuses all that there is gets the bytes as they are, which section 12.1 allows, rather than
/// a refusal.
[[nodiscard]] net::Response document_response(const Document& document, const net::Request& request);

}  // namespace fluxora::api
