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

std::string with_checksum(std::string_view place, std::string_view filters) {
  std::string text(place);
  const std::uint64_t checksum = fnv1a(text + '\n' + std::string(filters));
  text += "/" + std::to_string(checksum);
  return text;
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

std::string encode_place(std::string_view place, std::string_view filters) {
  return to_url_alphabet(core::base64_encode(core::as_bytes(with_checksum(place, filters))));
}

std::optional<std::string> decode_place(std::string_view text, std::string_view filters) {
  if (text.empty() || text.size() > max_cursor_length) return std::nullopt;
  const auto bytes = core::base64_decode(from_url_alphabet(text));
  if (!bytes) return std::nullopt;
  const std::string decoded(bytes->begin(), bytes->end());
  std::string place = decoded.substr(0, decoded.rfind('/'));
  // Made again from what was read, it has to be the same text: that also covers the checksum.
  if (encode_place(place, filters) != text) return std::nullopt;
  return place;
}

std::string encode_list_cursor(const ListCursor& cursor, std::string_view filters) {
  return encode_place(
      "2/" + cursor.epoch + "/" + std::to_string(cursor.position.created_seq) + "/" + cursor.position.id, filters);
}

std::optional<ListCursor> decode_list_cursor(std::string_view text, std::string_view filters) {
  const auto place = decode_place(text, filters);
  if (!place) return std::nullopt;
  // version/epoch/created_seq/id
  std::array<std::string, 4> parts;
  std::size_t from = 0;
  for (std::string& part : parts) {
    if (from > place->size()) return std::nullopt;
    const std::size_t end = std::min(place->find('/', from), place->size());
    part = place->substr(from, end - from);
    from = end + 1;
  }
  const auto& [version, epoch, seq, id] = parts;
  ListCursor cursor{epoch, {0, id}};
  const auto [end, error] = std::from_chars(seq.data(), seq.data() + seq.size(), cursor.position.created_seq);
  if (version != "2" || error != std::errc{} || end != seq.data() + seq.size()) return std::nullopt;
  if (encode_list_cursor(cursor, filters) != text || !core::is_stream_id(id)) return std::nullopt;
  return cursor;
}

}  // namespace fluxora::api
