#include "list_cursor.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/stream.hpp"

namespace fluxora::api {
namespace {

constexpr std::size_t max_cursor_length = 512;

/// FNV-1a, 64 bits: tells altered text from unaltered; not a signature.
std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1'099'511'628'211ULL;
  }
  return hash;
}

std::string with_checksum(const std::string& position, std::string_view filters) {
  std::string checked = position;
  checked += '\n';
  checked += filters;
  return position + "/" + std::to_string(fnv1a(checked));
}

// Base64 in the URL's alphabet and without padding (RFC 4648 section 5).
std::string to_url_alphabet(std::string text) {
  while (!text.empty() && text.back() == '=') text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string from_url_alphabet(std::string_view url_text) {
  std::string text(url_text);
  if (text.find_first_of("+/=") != std::string::npos) return {};
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return text;
}

}  // namespace

std::string encode_list_cursor(const ListCursor& cursor, std::string_view filters) {
  const std::string plain =
      "2/" + cursor.epoch + "/" + std::to_string(cursor.position.created_seq) + "/" + cursor.position.id;
  return to_url_alphabet(core::base64_encode(core::as_bytes(with_checksum(plain, filters))));
}

std::optional<ListCursor> decode_list_cursor(std::string_view text, std::string_view filters) {
  if (text.empty() || text.size() > max_cursor_length) return std::nullopt;
  const auto bytes = core::base64_decode(from_url_alphabet(text));
  if (!bytes) return std::nullopt;
  const std::string decoded(bytes->begin(), bytes->end());

  // version/epoch/created_seq/id/checksum
  std::array<std::string, 4> parts;
  std::size_t from = 0;
  for (std::string& part : parts) {
    const std::size_t slash = decoded.find('/', from);
    if (slash == std::string::npos) return std::nullopt;
    part = decoded.substr(from, slash - from);
    from = slash + 1;
  }
  const auto& [version, epoch, seq, id] = parts;
  ListCursor cursor{epoch, {0, id}};
  const auto [end, error] = std::from_chars(seq.data(), seq.data() + seq.size(), cursor.position.created_seq);
  if (version != "2" || error != std::errc{} || end != seq.data() + seq.size()) return std::nullopt;
  // Made again from what was read, it has to be the same text: that also covers the checksum.
  if (encode_list_cursor(cursor, filters) != text || !core::is_stream_id(id)) return std::nullopt;
  return cursor;
}

}  // namespace fluxora::api
