#include "fluxora/core/webhook_signature.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

using Verdict = WebhookVerdict;

// The example of the Standard Webhooks specification.
constexpr std::string_view secret_text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view other_text = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
constexpr std::string_view id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view timestamp = "1614265330";
constexpr UnixSeconds now = 1'614'265'330;
constexpr std::string_view body = "{\"test\": 2432232314}";
constexpr std::string_view standard_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr std::string_view fluxora_signature = "2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964";

/// RFC 8032 section 7.1, tests 1 to 3: seed and public key. The signatures over the id and the time above and two
/// bodies were made with Node's crypto.
struct Ed25519Example {
  std::string_view signing_key;
  std::string_view public_key;
  std::string_view of_nothing;
  std::string_view of_body;
};
constexpr Ed25519Example ed25519_examples[] = {
    {"whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==",
     "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
     "v1a,HM9EAcU2Hycl6dIctD1K+E8Lu01SoK3D4yQcX3IROSOYbHQ16IIQykYBmzF4nH3aoyVH/9GvuagiSTEWii8qBw==",
     "v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw=="},
    {"whsk_TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs9QBfD6EOJWpK3CqdNG368nJgszy7ElozAzVXxKvRmDA==",
     "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
     "v1a,13Q2EUw0m38meI6zDjeVOGbe8Ig8RRMAzDWQPm+XqvP93gIOUS5UmoSLfXU1BjjyV54Q451e58RkTCIwGZYgDA==",
     "v1a,7anDmyOh9LNskt5GJUTacHmbvyUkT0/S1jnxFAp+h2hcVXnQLWhtWA2+wP6vO0AUwEYP23IIZVuneGRhNj7hDQ=="},
    {"whsk_xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPf8Uc2OYhiho42kftACMPBYCBbtE7ozA6xd65EVSJCAJQ==",
     "whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
     "v1a,+lESdtuLiD7UVGir+W0LHVIrzekjiBU5HnuS5S1rFzjw+9MZqEho1hBgo7om4k5b7emgFm22ehVEyaujxixACg==",
     "v1a,CbWWbcW7B69jFUBICrevjm7uB16AqaX4X9zprrpWvW4012zWjiDpguw4L1VnBIktLL4pyfhNhZgLFTYi5s10AA=="},
};

std::unique_ptr<WebhookSecret> secret(std::string_view text = secret_text) {
  auto parsed = WebhookSecret::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *std::move(parsed);
}
std::unique_ptr<WebhookPublicKey> public_key(std::string_view text) {
  auto parsed = WebhookPublicKey::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *std::move(parsed);
}

WebhookVerifier verifier_of(std::unique_ptr<WebhookKey> key) {
  WebhookVerifier verifier;
  EXPECT_TRUE(verifier.add(std::move(key)));
  return verifier;
}

WebhookHeaders standard_headers(std::string_view signature = standard_signature) {
  WebhookHeaders headers;
  headers.webhook_id = id;
  headers.webhook_timestamp = timestamp;
  headers.webhook_signature = signature;
  return headers;
}
WebhookHeaders fluxora_headers(std::string_view signature = fluxora_signature) {
  WebhookHeaders headers;
  headers.fluxora_delivery_id = id;
  headers.fluxora_timestamp = timestamp;
  headers.fluxora_signature = signature;
  return headers;
}
WebhookHeaders both_families() {
  WebhookHeaders headers = standard_headers();
  headers.fluxora_delivery_id = id;
  headers.fluxora_timestamp = timestamp;
  headers.fluxora_signature = fluxora_signature;
  return headers;
}

Verdict verdict_of(const WebhookHeaders& headers, std::string_view content = body, UnixSeconds at = now) {
  return verifier_of(secret()).verify(headers, as_bytes(content), at).verdict;
}
Verdict verdict_of_signature(std::string_view signature) {
  return verdict_of(standard_headers(signature));
}

TEST(WebhookVerdict, NamesAndStatusesOfTheSpec) {
  const std::tuple<Verdict, std::string_view, int> table[] = {
      {Verdict::ok, "ok", 200},
      {Verdict::missing_secret, "missing_secret", 500},
      {Verdict::missing_delivery_id, "missing_delivery_id", 401},
      {Verdict::missing_timestamp, "missing_timestamp", 401},
      {Verdict::missing_signature, "missing_signature", 401},
      {Verdict::payload_too_large, "payload_too_large", 413},
      {Verdict::invalid_timestamp, "invalid_timestamp", 400},
      {Verdict::timestamp_outside_tolerance, "timestamp_outside_tolerance", 401},
      {Verdict::signature_mismatch, "signature_mismatch", 401},
      {Verdict::previous_secret_expired, "previous_secret_expired", 401},
      {Verdict::duplicate_delivery, "duplicate_delivery", 200},
      {static_cast<Verdict>(99), "unknown_verdict", 500},
  };
  for (const auto& [verdict, name, status] : table) {
    EXPECT_EQ(webhook_verdict_name(verdict), name);
    EXPECT_EQ(webhook_verdict_status(verdict), status);
  }
}

TEST(WebhookSecret, SignsBothFamilies) {
  EXPECT_EQ(*secret()->sign(id, now, as_bytes(body)), standard_signature);
  EXPECT_EQ(secret()->sign_fluxora(now, as_bytes(body)), fluxora_signature);
}

TEST(WebhookSecret, WithoutPrefixTheStandardFamilyIsTheSameAndFluxorasIsNot) {
  const auto bare = secret(secret_text.substr(6));
  EXPECT_EQ(*bare->sign(id, now, as_bytes(body)), standard_signature);
  EXPECT_NE(bare->sign_fluxora(now, as_bytes(body)), fluxora_signature);
}

TEST(WebhookSecret, RefusesWhatIsNoBase64) {
  for (const char* bad :
       {"", "whsec_", "whsec_A", "whsec_AAA", "whsec_AAAAA", "whsec_AA=", "whsec_AB==", "whsec_AA==\n",
        " whsec_AA==", "whsec_ AA==", "whsec_A-_A", "WHSEC_AA==", "whsec_whsec_AA==", "====", "whpk_AA=="}) {
    const auto parsed = WebhookSecret::parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::webhook_secret_invalid);
  }
  EXPECT_TRUE(WebhookSecret::parse("whsec_AA=="));
  EXPECT_TRUE(WebhookSecret::parse("AA=="));
}

TEST(WebhookSecret, TextIsBounded) {
  EXPECT_TRUE(WebhookSecret::parse(std::string(1024, 'A')));
  EXPECT_FALSE(WebhookSecret::parse(std::string(1028, 'A')));
  EXPECT_TRUE(WebhookSecret::parse("whsec_" + std::string(1016, 'A')));
  EXPECT_FALSE(WebhookSecret::parse("whsec_" + std::string(1020, 'A')));
}

TEST(WebhookSign, IdsThatCanBeReadOnlyOneWay) {
  const auto key = secret();
  const auto pair = WebhookSigningKey::parse(ed25519_examples[0].signing_key);
  ASSERT_TRUE(pair);
  for (const std::string& good : {std::string("a"), std::string(256, '~'), std::string("!#-_/:")}) {
    EXPECT_TRUE(key->sign(good, now, {})) << good;
    EXPECT_TRUE(pair->sign(good, now, {})) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(257, 'a'), std::string("a.b"), std::string("."), std::string("a b"),
        std::string("a\n"), std::string("\x7f"), std::string("\xc3\xa9"), std::string("a\0", 2)}) {
    ASSERT_FALSE(key->sign(bad, now, {})) << bad;
    EXPECT_EQ(key->sign(bad, now, {}).error().code, ErrorCode::webhook_id_invalid);
    ASSERT_FALSE(pair->sign(bad, now, {})) << bad;
    EXPECT_EQ(pair->sign(bad, now, {}).error().code, ErrorCode::webhook_id_invalid);
  }
}

TEST(WebhookVerify, GivesIdAndTimeOnlyWhenOk) {
  const WebhookVerifier verifier = verifier_of(secret());
  for (const WebhookHeaders& headers : {standard_headers(), fluxora_headers(), both_families()}) {
    const WebhookResult good = verifier.verify(headers, as_bytes(body), now);
    EXPECT_EQ(good.verdict, Verdict::ok);
    EXPECT_EQ(good.delivery_id, id);
    EXPECT_EQ(good.timestamp, now);
    const WebhookResult bad = verifier.verify(headers, as_bytes("{}"), now);
    EXPECT_EQ(bad.verdict, Verdict::signature_mismatch);
    EXPECT_EQ(bad.delivery_id, "");
    EXPECT_EQ(bad.timestamp, 0u);
  }
}

TEST(WebhookVerify, BodyIsTheBytesAsReceived) {
  const auto key = secret();
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  const std::string standard = *key->sign(id, now, as_bytes(every_byte));
  const std::string fluxora = key->sign_fluxora(now, as_bytes(every_byte));
  EXPECT_EQ(verdict_of(standard_headers(standard), every_byte), Verdict::ok);
  EXPECT_EQ(verdict_of(fluxora_headers(fluxora), every_byte), Verdict::ok);
  EXPECT_EQ(verdict_of(standard_headers(standard), every_byte + '\n'), Verdict::signature_mismatch);
  EXPECT_EQ(verdict_of(standard_headers(*key->sign(id, now, {})), ""), Verdict::ok);
}

// Each step makes one more check fail, from the last to the first: the earlier one decides.
TEST(WebhookVerify, ChecksRunInTheSpecsOrder) {
  const WebhookVerifier verifier = verifier_of(secret());
  const std::string large(webhook_body_max + 1, ' ');
  for (const bool standard : {true, false}) {
    WebhookHeaders headers = standard ? standard_headers() : fluxora_headers();
    std::string_view& sent_id = standard ? headers.webhook_id : headers.fluxora_delivery_id;
    std::string_view& sent_timestamp = standard ? headers.webhook_timestamp : headers.fluxora_timestamp;
    std::string_view& sent_signature = standard ? headers.webhook_signature : headers.fluxora_signature;
    std::string_view content = body;
    const auto verdict = [&](const WebhookVerifier& by) { return by.verify(headers, as_bytes(content), now).verdict; };

    EXPECT_EQ(verdict(verifier), Verdict::ok);
    sent_signature = "v1,AAAA";
    EXPECT_EQ(verdict(verifier), Verdict::signature_mismatch);
    sent_timestamp = "1614265631";
    EXPECT_EQ(verdict(verifier), Verdict::timestamp_outside_tolerance);
    sent_timestamp = "01614265330";
    EXPECT_EQ(verdict(verifier), Verdict::invalid_timestamp);
    content = large;
    EXPECT_EQ(verdict(verifier), Verdict::payload_too_large);
    sent_signature = "";
    // With no other header of its family left, an empty one would make the other family decide: some stay.
    EXPECT_EQ(verdict(verifier), Verdict::missing_signature);
    sent_timestamp = "";
    EXPECT_EQ(verdict(verifier), Verdict::missing_timestamp);
    sent_id = "";
    EXPECT_EQ(verdict(verifier), Verdict::missing_delivery_id);
    EXPECT_EQ(verdict(WebhookVerifier()), Verdict::missing_secret);
  }
}

TEST(WebhookVerify, EachHeaderIsNeeded) {
  WebhookHeaders headers = standard_headers();
  headers.webhook_id = "";
  EXPECT_EQ(verdict_of(headers), Verdict::missing_delivery_id);
  headers = standard_headers();
  headers.webhook_timestamp = "";
  EXPECT_EQ(verdict_of(headers), Verdict::missing_timestamp);
  EXPECT_EQ(verdict_of(standard_headers("")), Verdict::missing_signature);
  headers = fluxora_headers();
  headers.fluxora_delivery_id = "";
  EXPECT_EQ(verdict_of(headers), Verdict::missing_delivery_id);
  headers = fluxora_headers();
  headers.fluxora_timestamp = "";
  EXPECT_EQ(verdict_of(headers), Verdict::missing_timestamp);
  EXPECT_EQ(verdict_of(fluxora_headers("")), Verdict::missing_signature);
  EXPECT_EQ(verdict_of({}), Verdict::missing_delivery_id);
}

TEST(WebhookVerify, AnyStandardHeaderMakesThatFamilyDecide) {
  WebhookHeaders headers = fluxora_headers();
  headers.webhook_id = id;
  EXPECT_EQ(verdict_of(headers), Verdict::missing_timestamp);
  headers = fluxora_headers();
  headers.webhook_timestamp = timestamp;
  EXPECT_EQ(verdict_of(headers), Verdict::missing_delivery_id);
  headers = fluxora_headers();
  headers.webhook_signature = standard_signature;
  EXPECT_EQ(verdict_of(headers), Verdict::missing_delivery_id);
  headers = both_families();
  headers.webhook_signature = "v1,AAAA";
  EXPECT_EQ(verdict_of(headers), Verdict::signature_mismatch);
  headers = both_families();
  headers.fluxora_signature = "anything";
  headers.fluxora_timestamp = "1";
  EXPECT_EQ(verdict_of(headers), Verdict::ok);
}

TEST(WebhookVerify, StandardFamilyCanBeRequired) {
  const WebhookVerifier verifier = verifier_of(secret());
  const auto verdict = [&](const WebhookHeaders& headers) {
    return verifier.verify(headers, as_bytes(body), now, WebhookFamilies::standard_required).verdict;
  };
  EXPECT_EQ(verdict(fluxora_headers()), Verdict::missing_delivery_id);
  EXPECT_EQ(verdict(standard_headers()), Verdict::ok);
  EXPECT_EQ(verdict(both_families()), Verdict::ok);
}

TEST(WebhookVerify, BothFamiliesMustGiveTheSameId) {
  WebhookHeaders headers = both_families();
  headers.fluxora_delivery_id = "another";
  EXPECT_EQ(verdict_of(headers), Verdict::signature_mismatch);
  EXPECT_EQ(verdict_of(headers, body, now + 301), Verdict::timestamp_outside_tolerance);

  WebhookVerifier verifier;
  ASSERT_TRUE(verifier.add(secret(), now - 1));
  EXPECT_EQ(verifier.verify(both_families(), as_bytes(body), now).verdict, Verdict::previous_secret_expired);
  EXPECT_EQ(verifier.verify(headers, as_bytes(body), now).verdict, Verdict::signature_mismatch);
}

TEST(WebhookVerify, FluxoraFamilyDoesNotCoverTheId) {
  WebhookHeaders headers = fluxora_headers();
  headers.fluxora_delivery_id = "another";
  EXPECT_EQ(verdict_of(headers), Verdict::ok);
  headers = standard_headers();
  headers.webhook_id = "another";
  EXPECT_EQ(verdict_of(headers), Verdict::signature_mismatch);
}

TEST(WebhookVerify, BodyBound) {
  const auto key = secret();
  const std::string largest(webhook_body_max, 'a');
  const std::string too_large = largest + 'a';
  EXPECT_EQ(largest.size(), 262'144u);
  EXPECT_EQ(verdict_of(standard_headers(*key->sign(id, now, as_bytes(largest))), largest), Verdict::ok);
  EXPECT_EQ(verdict_of(standard_headers(*key->sign(id, now, as_bytes(too_large))), too_large),
            Verdict::payload_too_large);
}

TEST(WebhookVerify, TimestampGrammar) {
  for (const char* bad : {"0", "01614265330", "+1614265330", "-1614265330", " 1614265330", "1614265330 ",
                          "1614265330.5", "1.6e9", "0x60380DF2", "1614265330\n", "16142a5330", "1614265330000000", "/",
                          ":", "99999999999999999999999999999999999999", "\xd9\xa1"}) {
    WebhookHeaders headers = standard_headers();
    headers.webhook_timestamp = bad;
    EXPECT_EQ(verdict_of(headers), Verdict::invalid_timestamp) << bad;
    headers = fluxora_headers();
    headers.fluxora_timestamp = bad;
    EXPECT_EQ(verdict_of(headers), Verdict::invalid_timestamp) << bad;
  }
}

TEST(WebhookVerify, ToleranceIncludesItsEnds) {
  for (const WebhookHeaders& headers : {standard_headers(), fluxora_headers()}) {
    EXPECT_EQ(verdict_of(headers, body, now + 300), Verdict::ok);
    EXPECT_EQ(verdict_of(headers, body, now - 300), Verdict::ok);
    EXPECT_EQ(verdict_of(headers, body, now + 301), Verdict::timestamp_outside_tolerance);
    EXPECT_EQ(verdict_of(headers, body, now - 301), Verdict::timestamp_outside_tolerance);
  }
}

TEST(WebhookVerify, ExtremeTimesDontOverflow) {
  constexpr UnixSeconds last = std::numeric_limits<UnixSeconds>::max();
  constexpr UnixSeconds largest = 999'999'999'999'999;
  const auto verdict = [](UnixSeconds made_at, UnixSeconds at) {
    const std::string signature = *secret()->sign(id, made_at, as_bytes(body));
    const std::string text = std::to_string(made_at);
    WebhookHeaders headers = standard_headers(signature);
    headers.webhook_timestamp = text;
    return verdict_of(headers, body, at);
  };
  EXPECT_EQ(verdict(1, 0), Verdict::ok);
  EXPECT_EQ(verdict(1, last), Verdict::timestamp_outside_tolerance);
  EXPECT_EQ(verdict(largest, largest + 300), Verdict::ok);
  EXPECT_EQ(verdict(largest, last), Verdict::timestamp_outside_tolerance);
  EXPECT_EQ(verdict(largest, 0), Verdict::timestamp_outside_tolerance);

  const std::string beyond = std::to_string(largest + 1);
  WebhookHeaders headers = standard_headers();
  headers.webhook_timestamp = beyond;
  EXPECT_EQ(verdict_of(headers, body, largest), Verdict::invalid_timestamp);
  for (const UnixSeconds unsignable : {UnixSeconds{0}, largest + 1, last}) {
    const auto signature = secret()->sign(id, unsignable, as_bytes(body));
    ASSERT_FALSE(signature);
    EXPECT_EQ(signature.error().code, ErrorCode::time_invalid);
  }
}

TEST(WebhookVerify, FluxoraSignatureIs64HexCharactersOfEitherCase) {
  std::string upper(fluxora_signature);
  for (char& c : upper) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  EXPECT_NE(upper, fluxora_signature);
  const std::string plain(fluxora_signature);
  for (const std::string& good : {plain, upper, " " + plain, plain + "\r\n", "\t\v\f " + plain + " \t"}) {
    EXPECT_EQ(verdict_of(fluxora_headers(good)), Verdict::ok) << good;
  }
  for (const std::string& bad :
       {std::string(" "), plain.substr(1), plain + "0", plain.substr(1) + "g", "0x" + plain.substr(2), plain + "\xa0",
        "sha256=" + plain, plain.substr(0, 32) + " " + plain.substr(32), std::string(64, '0'),
        plain.substr(0, 63) + "5", std::string(standard_signature)}) {
    EXPECT_EQ(verdict_of(fluxora_headers(bad)), Verdict::signature_mismatch) << bad;
  }
}

TEST(WebhookVerify, StandardTokens) {
  const std::string good(standard_signature);
  const std::string wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
  for (const std::string& accepted :
       {good, " " + good, good + " ", wrong + " " + good, good + " " + wrong, wrong + "   " + good, "v1 " + good,
        ", " + good, "v1,, " + good, "v1,* v2,AAAA v1a,AAAA " + good, good + " " + good, "\t " + good}) {
    EXPECT_EQ(verdict_of_signature(accepted), Verdict::ok) << accepted;
  }
  for (const std::string& refused : {wrong,
                                     std::string(" "),
                                     std::string(","),
                                     std::string("v1"),
                                     std::string("v1,"),
                                     "V1" + good.substr(2),
                                     "v2" + good.substr(2),
                                     "v1a" + good.substr(2),
                                     "v11" + good.substr(2),
                                     good.substr(3),
                                     "," + good,
                                     good + ",,",
                                     good + ",x",
                                     "v1," + good,
                                     wrong + "," + good,
                                     good + "\t",
                                     wrong + "\t" + good,
                                     "v1, " + good.substr(3),
                                     good.substr(0, good.size() - 1),
                                     good.substr(0, good.size() - 2) + "F=",
                                     good + "=",
                                     good.substr(0, 8),
                                     good + "AAAA"}) {
    EXPECT_EQ(verdict_of_signature(refused), Verdict::signature_mismatch) << refused;
  }
}

TEST(WebhookVerify, SoManyTokensAreLookedAt) {
  const std::string good(standard_signature);
  for (const std::string filler : {"x ", "v1,AAAA ", "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= "}) {
    std::string tokens;
    for (std::size_t i = 0; i < webhook_tokens_max - 1; ++i) tokens += filler;
    EXPECT_EQ(verdict_of_signature(tokens + good + " " + filler), Verdict::ok);
    EXPECT_EQ(verdict_of_signature(tokens + filler + good), Verdict::signature_mismatch);
  }
}

TEST(WebhookVerify, EveryBitOfTheSignatureCounts) {
  const Bytes right = *base64_decode(standard_signature.substr(3));
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Bytes flipped = right;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(verdict_of_signature("v1," + base64_encode(flipped)), Verdict::signature_mismatch);
  }
}

TEST(WebhookRotation, PreviousSecretIsGoodToTheEndOfItsGrace) {
  for (const bool previous_first : {true, false}) {
    WebhookVerifier verifier;
    if (!previous_first) {
      ASSERT_TRUE(verifier.add(secret(other_text)));
    }
    ASSERT_TRUE(verifier.add(secret(), now + 10));
    if (previous_first) {
      ASSERT_TRUE(verifier.add(secret(other_text)));
    }
    for (const WebhookHeaders& headers : {standard_headers(), fluxora_headers()}) {
      EXPECT_EQ(verifier.verify(headers, as_bytes(body), now + 10).verdict, Verdict::ok);
      EXPECT_EQ(verifier.verify(headers, as_bytes(body), now + 11).verdict, Verdict::previous_secret_expired);
      EXPECT_EQ(verifier.verify(headers, as_bytes("{}"), now + 11).verdict, Verdict::signature_mismatch);
    }
    const std::string by_live = *secret(other_text)->sign(id, now, as_bytes(body));
    EXPECT_EQ(verifier.verify(standard_headers(by_live), as_bytes(body), now + 11).verdict, Verdict::ok);
    // A delivery signed with both, as during the rotation.
    const std::string by_both = std::string(standard_signature) + " " + by_live;
    EXPECT_EQ(verifier.verify(standard_headers(by_both), as_bytes(body), now + 11).verdict, Verdict::ok);
  }
}

TEST(WebhookRotation, OnlyPreviousSecretsIsNotWithoutSecret) {
  WebhookVerifier verifier;
  ASSERT_TRUE(verifier.add(secret(), 0));
  EXPECT_EQ(verifier.verify(standard_headers(), as_bytes(body), now).verdict, Verdict::previous_secret_expired);
}

TEST(WebhookRotation, KeysAreBounded) {
  WebhookVerifier verifier;
  for (std::size_t i = 0; i < webhook_keys_max - 1; ++i) ASSERT_TRUE(verifier.add(secret(other_text)));
  ASSERT_TRUE(verifier.add(secret()));
  EXPECT_EQ(verifier.verify(standard_headers(), as_bytes(body), now).verdict, Verdict::ok);
  const auto added = verifier.add(secret());
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::webhook_too_many_keys);
}

TEST(WebhookEd25519, SignsAndVerifiesAsRfc8032) {
  for (const Ed25519Example& example : ed25519_examples) {
    const auto pair = WebhookSigningKey::parse(example.signing_key);
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->public_key(), example.public_key);
    EXPECT_EQ(*pair->sign(id, now, {}), example.of_nothing);
    EXPECT_EQ(*pair->sign(id, now, as_bytes(body)), example.of_body);

    const WebhookVerifier verifier = verifier_of(public_key(example.public_key));
    EXPECT_EQ(verifier.verify(standard_headers(example.of_nothing), {}, now).verdict, Verdict::ok);
    EXPECT_EQ(verifier.verify(standard_headers(example.of_body), as_bytes(body), now).verdict, Verdict::ok);
    EXPECT_EQ(verifier.verify(standard_headers(example.of_nothing), as_bytes(body), now).verdict,
              Verdict::signature_mismatch);
    WebhookHeaders headers = standard_headers(example.of_body);
    headers.webhook_id = "another";
    EXPECT_EQ(verifier.verify(headers, as_bytes(body), now).verdict, Verdict::signature_mismatch);
  }
}

TEST(WebhookEd25519, EachVersionHasItsOwnKeys) {
  const Ed25519Example& example = ed25519_examples[0];
  const std::string both = std::string(standard_signature) + " " + std::string(example.of_body);
  const WebhookVerifier by_public_key = verifier_of(public_key(example.public_key));
  EXPECT_EQ(by_public_key.verify(standard_headers(both), as_bytes(body), now).verdict, Verdict::ok);
  EXPECT_EQ(by_public_key.verify(standard_headers(), as_bytes(body), now).verdict, Verdict::signature_mismatch);
  EXPECT_EQ(by_public_key.verify(fluxora_headers(), as_bytes(body), now).verdict, Verdict::signature_mismatch);
  EXPECT_EQ(verdict_of_signature(both), Verdict::ok);
  EXPECT_EQ(verdict_of_signature(example.of_body), Verdict::signature_mismatch);
  const std::string relabelled = "v1" + std::string(example.of_body.substr(3));
  EXPECT_EQ(by_public_key.verify(standard_headers(relabelled), as_bytes(body), now).verdict,
            Verdict::signature_mismatch);
}

TEST(WebhookEd25519, SeveralTokensAndKeys) {
  WebhookVerifier verifier;
  ASSERT_TRUE(verifier.add(public_key(ed25519_examples[0].public_key)));
  ASSERT_TRUE(verifier.add(public_key(ed25519_examples[1].public_key), now - 1));
  const std::string third(ed25519_examples[2].of_body);
  const auto verdict = [&](std::string_view signature) {
    return verifier.verify(standard_headers(third + " " + std::string(signature)), as_bytes(body), now).verdict;
  };
  EXPECT_EQ(verdict(ed25519_examples[0].of_body), Verdict::ok);
  EXPECT_EQ(verdict(ed25519_examples[1].of_body), Verdict::previous_secret_expired);
  EXPECT_EQ(verdict("v1a,AAAA"), Verdict::signature_mismatch);
}

TEST(WebhookEd25519, SoManySignaturesAreVerified) {
  const WebhookVerifier verifier = verifier_of(public_key(ed25519_examples[0].public_key));
  const std::string good(ed25519_examples[0].of_body);
  std::string tokens = "v1a,AAAA ";  // malformed ones aren't among them
  for (std::size_t i = 0; i < webhook_v1a_tokens_max - 1; ++i) tokens += std::string(ed25519_examples[1].of_body) + " ";
  EXPECT_EQ(verifier.verify(standard_headers(tokens + good), as_bytes(body), now).verdict, Verdict::ok);
  tokens += std::string(ed25519_examples[1].of_body) + " ";
  EXPECT_EQ(verifier.verify(standard_headers(tokens + good), as_bytes(body), now).verdict, Verdict::signature_mismatch);
}

TEST(WebhookEd25519, KeysAreTheirPrefixAndBase64OfTheirSize) {
  const std::string good_public(ed25519_examples[0].public_key);
  const std::string good_signing(ed25519_examples[0].signing_key);
  for (const std::string& bad :
       {std::string(), std::string("whpk_"), good_public.substr(5), good_signing, "whsk_" + good_public.substr(5),
        good_public + "=", good_public.substr(0, good_public.size() - 1), "whpk_" + good_signing.substr(5),
        "whpk_" + good_public.substr(9), " " + good_public}) {
    const auto parsed = WebhookPublicKey::parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::webhook_secret_invalid);
  }
  for (const std::string& bad :
       {std::string(), std::string("whsk_"), good_signing.substr(5), good_public, "whpk_" + good_signing.substr(5),
        good_signing + "=", "whsk_" + good_public.substr(5), "whsk_" + good_signing.substr(9)}) {
    const auto parsed = WebhookSigningKey::parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::webhook_secret_invalid);
  }
}

TEST(WebhookEd25519, HalvesOfAKeyBelongTogether) {
  const Bytes first = *base64_decode(ed25519_examples[0].signing_key.substr(5));
  const Bytes second = *base64_decode(ed25519_examples[1].signing_key.substr(5));
  Bytes mixed(first.begin(), first.begin() + 32);
  mixed.insert(mixed.end(), second.begin() + 32, second.end());
  const auto parsed = WebhookSigningKey::parse("whsk_" + base64_encode(mixed));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::webhook_secret_invalid);
}

TEST(WebhookEd25519, KeysThatNobodyHoldsVerifyNothing) {
  // The identity, a point of small order: with it a signature of zeros would fit many messages.
  Bytes identity(32, 0);
  identity[0] = 1;
  Bytes signature(64, 0);
  signature[0] = 1;
  const WebhookVerifier verifier = verifier_of(public_key("whpk_" + base64_encode(identity)));
  EXPECT_EQ(verifier.verify(standard_headers("v1a," + base64_encode(signature)), as_bytes(body), now).verdict,
            Verdict::signature_mismatch);
}

TEST(WebhookEd25519, SigningKeyMovesAndIsWiped) {
  const Ed25519Example& example = ed25519_examples[0];
  alignas(WebhookSigningKey) std::array<unsigned char, sizeof(WebhookSigningKey)> memory{};
  const auto is_zero = [&] {
    const volatile unsigned char* at = memory.data();
    return std::all_of(at, at + memory.size(), [](unsigned char byte) { return byte == 0; });
  };
  auto* key = new (memory.data()) WebhookSigningKey(*WebhookSigningKey::parse(example.signing_key));
  EXPECT_FALSE(is_zero());
  WebhookSigningKey moved(std::move(*key));
  EXPECT_TRUE(is_zero());
  EXPECT_EQ(moved.public_key(), example.public_key);
  *key = std::move(moved);
  EXPECT_FALSE(is_zero());
  WebhookSigningKey& same = *key;
  *key = std::move(same);
  EXPECT_EQ(*key->sign(id, now, as_bytes(body)), example.of_body);
  key->~WebhookSigningKey();
  EXPECT_TRUE(is_zero());
}

}  // namespace
}  // namespace fluxora::core
