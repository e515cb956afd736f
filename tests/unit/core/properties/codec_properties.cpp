#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/core/xdr.hpp"
#include "generators.hpp"

namespace fluxora::core::properties {
namespace {

rc::Gen<StrKey> any_strkey() {
  const auto of = [](StrKeyVersion version, std::size_t size) {
    return rc::gen::map(bytes_of_size(size), [version](Bytes payload) {
      if (version == StrKeyVersion::claimable_balance) payload[0] = 0;  // its type, of which there is one
      return StrKey{version, std::move(payload)};
    });
  };
  const auto signed_payload = rc::gen::mapcat(rc::gen::inRange<std::uint32_t>(1, 65), [](std::uint32_t length) {
    return rc::gen::map(rc::gen::pair(bytes_of_size(32), bytes_of_size(length)),
                        [](const std::pair<Bytes, Bytes>& parts) {
                          StrKey key{StrKeyVersion::signed_payload, parts.first};
                          XdrWriter(key.payload).write_variable(parts.second);
                          return key;
                        });
  });
  return rc::gen::oneOf(of(StrKeyVersion::account, 32), of(StrKeyVersion::seed, 32),
                        of(StrKeyVersion::muxed_account, 40), of(StrKeyVersion::pre_auth_tx, 32),
                        of(StrKeyVersion::hash_x, 32), signed_payload, of(StrKeyVersion::contract, 32),
                        of(StrKeyVersion::liquidity_pool, 32), of(StrKeyVersion::claimable_balance, 33));
}

std::string any_address(StrKeyVersion version) {
  return *encode_strkey(version, *bytes_of_size(32));
}

Stream any_stream() {
  Stream stream;
  stream.source = *rc::gen::element(StreamSource::chain, StreamSource::api);
  stream.kind = *any_kind();
  stream.status =
      *rc::gen::element(StreamStatus::active, StreamStatus::paused, StreamStatus::completed, StreamStatus::cancelled);
  stream.archived = *rc::gen::arbitrary<bool>();
  stream.id = chain_stream_id(any_address(StrKeyVersion::contract), *rc::gen::arbitrary<std::uint64_t>());
  stream.sender = any_address(StrKeyVersion::account);
  stream.recipient = any_address(StrKeyVersion::contract);
  if (*rc::gen::arbitrary<bool>()) stream.token = any_address(StrKeyVersion::contract);
  for (Amount* amount :
       {&stream.deposit, &stream.rate_per_second, &stream.withdrawn, &stream.settled, &stream.checkpoint_amount}) {
    *amount = *any_amount();
  }
  for (UnixSeconds* time : {&stream.start_time, &stream.cliff_time, &stream.end_time, &stream.checkpoint_at}) {
    *time = *any_time();
  }
  if (*rc::gen::arbitrary<bool>()) stream.cancelled_at = *any_time();
  stream.created_at = *rc::gen::arbitrary<UnixMillis>();
  stream.updated_at = *rc::gen::arbitrary<UnixMillis>();
  stream.version = *rc::gen::arbitrary<std::uint64_t>();
  stream.created_seq = *rc::gen::arbitrary<std::uint64_t>();
  if (*rc::gen::arbitrary<bool>()) stream.ledger = *rc::gen::arbitrary<std::uint32_t>();
  if (*rc::gen::arbitrary<bool>()) stream.tx_hash.emplace().fill(*rc::gen::arbitrary<std::uint8_t>());
  return stream;
}

RC_GTEST_PROP(CodecProperties, HexadecimalGivesTheBytesAgain, ()) {
  const Bytes bytes = *any_bytes();
  const auto read = hex_decode(hex_encode(bytes));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == bytes);
}

RC_GTEST_PROP(CodecProperties, Base64GivesTheBytesAgain, ()) {
  const Bytes bytes = *any_bytes();
  const auto read = base64_decode(base64_encode(bytes));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == bytes);
}

RC_GTEST_PROP(CodecProperties, Base64urlGivesTheBytesAgain, ()) {
  const Bytes bytes = *any_bytes();
  const auto read = base64url_decode(base64url_encode(bytes));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == bytes);
}

RC_GTEST_PROP(CodecProperties, EachBytesHaveOneBase64, ()) {
  std::string text = base64_encode(*rc::gen::nonEmpty(any_bytes()));
  text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::elementOf(std::string("ABCDwxyz0189+/=-_ \n"));
  const auto read = base64_decode(text);
  if (read) RC_ASSERT(base64_encode(*read) == text);
}

RC_GTEST_PROP(CodecProperties, StrKeyGivesTheKeyAgain, ()) {
  const StrKey key = *any_strkey();
  const auto text = encode_strkey(key.version, key.payload);
  RC_ASSERT(text.ok());
  const auto read = decode_strkey(*text);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == key);
}

RC_GTEST_PROP(CodecProperties, StrKeyNoticesAChangedCharacter, ()) {
  const StrKey key = *any_strkey();
  std::string text = *encode_strkey(key.version, key.payload);
  char& character = text[*rc::gen::inRange<std::size_t>(0, text.size())];
  character = *rc::gen::distinctFrom(rc::gen::elementOf(std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")), character);
  RC_ASSERT(!decode_strkey(text).ok());
}

RC_GTEST_PROP(CodecProperties, StreamBytesGiveTheStreamAgain, ()) {
  const Stream stream = any_stream();
  const auto read = decode_stream(encode_stream(stream));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == stream);
}

RC_GTEST_PROP(CodecProperties, CutStreamBytesAreRefused, ()) {
  const Bytes bytes = encode_stream(any_stream());
  const auto kept = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!decode_stream(ByteView(bytes).first(kept)).ok());
}

RC_GTEST_PROP(CodecProperties, TimesGiveTheSecondAgain, ()) {
  const UnixSeconds seconds = *any_time() % (last_rfc3339_second + 1);
  const auto read = parse_rfc3339(format_rfc3339(seconds));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == seconds);
}

}  // namespace
}  // namespace fluxora::core::properties
