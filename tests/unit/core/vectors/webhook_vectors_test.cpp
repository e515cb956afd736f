#include <gtest/gtest.h>

#include "fluxora/core/webhook_signature.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

WebhookVerdict verdict_of(const Json& c) {
  const auto secret = text(c, "secret");
  const auto body = text(c, "body");
  const auto now = seconds(c, "now");
  EXPECT_TRUE(secret && body && now);
  if (!secret || !body || !now) return WebhookVerdict::duplicate_delivery;  // which verify() never gives
  WebhookVerifier verifier;
  auto key = WebhookSecret::parse(*secret);
  EXPECT_TRUE(key);
  if (!key || !verifier.add(*std::move(key))) return WebhookVerdict::duplicate_delivery;
  const std::string id = text(c, "id").value_or("");
  const std::string timestamp = text(c, "timestamp").value_or("");
  const std::string signature = text(c, "signature").value_or("");
  WebhookHeaders headers;
  headers.webhook_id = id;
  headers.webhook_timestamp = timestamp;
  headers.webhook_signature = signature;
  return verifier.verify(headers, as_bytes(*body), *now).verdict;
}

TEST(WebhookVectors, StandardWebhooks) {
  const VectorCases file = read_array("webhooks/standard_webhooks.json");
  REQUIRE_VECTORS(file);
  std::size_t refused_here = 0;
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const Json& c = file.cases[i];
    SCOPED_TRACE(file.place(i) + ": " + c.dump());
    const auto accepted = flag(c, "standardwebhooks");
    ASSERT_TRUE(accepted);
    const WebhookVerdict verdict = verdict_of(c);
    // SPEC section 8: a timestamp is digits alone. The official library reads these three by JavaScript's rules.
    const auto timestamp = text(c, "timestamp");
    if (timestamp == "1614265330.5" || timestamp == "+1614265330" || timestamp == " 1614265330") {
      ++refused_here;
      EXPECT_TRUE(*accepted);
      EXPECT_EQ(verdict, WebhookVerdict::invalid_timestamp);
      continue;
    }
    EXPECT_EQ(verdict == WebhookVerdict::ok, *accepted) << webhook_verdict_name(verdict);
  }
  EXPECT_EQ(refused_here, 3u);
  file.report();
}

}  // namespace
}  // namespace fluxora::core::vectors
