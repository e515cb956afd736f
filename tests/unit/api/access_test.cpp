#include "access.hpp"

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/api/api_key_text.hpp"

namespace fluxora::api::test {
namespace {

constexpr core::UnixMillis second = 1'000;

/// An AccessControl over keys in memory, and a handler that says who was let through.
class Gate {
 public:
  explicit Gate(AccessOptions options = {true, jwt_secret, 0, {}}) : access(options, keys, audit, clock, log) {}

  net::Response ask(Access needed, net::HeaderFields headers, const std::string& method = "POST",
                    const std::string& address = "192.0.2.1") {
    net::Request request = ApiBench::request("/a/path", std::move(headers), method);
    request.remote_address = address;
    net::Response answer;
    answer.status = 0;
    access.admit(
        needed, std::make_shared<const net::Request>(std::move(request)),
        [&answer](net::Response response) { answer = std::move(response); }, handler);
    return answer;
  }

  /// A key that there is; its text.
  std::string add_key(std::vector<std::string> scopes) {
    const ApiKeyText made = make_api_key(random);
    ports::ApiKey key;
    key.id = made.id;
    key.scopes = std::move(scopes);
    key.secret_hash = made.secret_hash();
    keys.keys[made.id] = key;
    return made.text();
  }
  ports::ApiKey& only_key() { return keys.keys.begin()->second; }

  fakes::FakeClock clock;
  fakes::FakeLog log;
  FakeRandom random;
  FakeKeys keys;
  FakeAudit audit;
  std::vector<std::string> callers;
  GuardedHandler handler = [this](const Caller& caller, std::shared_ptr<const net::Request>, net::Respond respond) {
    callers.push_back(caller.id);
    respond({});
  };
  AccessControl access;
};

net::HeaderFields bearer(const std::string& token) {
  return {{"Authorization", "Bearer " + token}};
}
net::HeaderFields key_header(const std::string& key) {
  return {{"X-API-Key", key}};
}

TEST(Access, PublicWritesNeedNothing) {
  Gate gate({false, jwt_secret, 0, {}});
  EXPECT_EQ(gate.ask(Access::streams_write, {}).status, 200u);
  EXPECT_EQ(gate.callers, std::vector<std::string>{"address:192.0.2.1"});
  for (const Access other : {Access::webhooks_manage, Access::indexer_write, Access::admin}) {
    EXPECT_EQ(gate.ask(other, {}).status, 401u);
  }
}

TEST(Access, ABadCredentialIsNoticedAlsoWhereNoneIsNeeded) {
  Gate gate({false, jwt_secret, 0, {}});
  EXPECT_EQ(gate.ask(Access::streams_write, bearer("a.b.c")).status, 401u);
  EXPECT_EQ(gate.ask(Access::streams_write, key_header("flx_nothing")).status, 401u);
  EXPECT_EQ(gate.ask(Access::streams_write, bearer(signed_token(R"({"scope":"admin"})"))).status, 403u);
  EXPECT_TRUE(gate.callers.empty());
}

TEST(Access, ATokenWithTheScopeIsLetThrough) {
  Gate gate;
  EXPECT_EQ(gate.ask(Access::streams_write, bearer(signed_token(R"({"sub":"kim","scope":"a streams:write"})"))).status,
            200u);
  EXPECT_EQ(gate.ask(Access::admin, {{"authorization", "bEARER  " + signed_token(R"({"scope":"admin"})")}}).status,
            200u);
  EXPECT_EQ(gate.callers, (std::vector<std::string>{"jwt:kim", "jwt:"}));
}

TEST(Access, EachScopeGrantsItselfOnly) {
  const Access all[] = {Access::streams_write, Access::webhooks_manage, Access::indexer_write, Access::admin};
  Gate gate;
  for (const Access granted : all) {
    const std::string key = gate.add_key({std::string(scope_name(granted))});
    const std::string token = signed_token("{\"scope\":\"" + std::string(scope_name(granted)) + "\"}");
    for (const Access needed : all) {
      for (const auto& headers : {key_header(key), bearer(token)}) {
        const net::Response response = gate.ask(needed, headers);
        EXPECT_EQ(response.status, granted == needed ? 200u : 403u);
        if (granted != needed) {
          EXPECT_EQ(header(response, "WWW-Authenticate"),
                    "Bearer realm=\"fluxora\", error=\"insufficient_scope\", scope=\"" +
                        std::string(scope_name(needed)) + "\"");
        }
      }
    }
  }
}

TEST(Access, ChallengesAreThoseOfRfc6750) {
  Gate gate;
  const net::Response none = gate.ask(Access::admin, {});
  expect_problem(none, 401, "UNAUTHORIZED");
  EXPECT_EQ(header(none, "WWW-Authenticate"), "Bearer realm=\"fluxora\"");
  EXPECT_EQ(header(gate.ask(Access::admin, {{"Authorization", "Basic dTpw"}}), "WWW-Authenticate"),
            "Bearer realm=\"fluxora\"");
  const net::Response bad = gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin"})", "another secret")));
  expect_problem(bad, 401, "UNAUTHORIZED");
  EXPECT_NE(header(bad, "WWW-Authenticate").find("error=\"invalid_token\""), std::string::npos);
}

TEST(Access, UnclearCredentialsAre400) {
  Gate gate;
  const std::string token = signed_token(R"({"scope":"admin"})");
  const std::string key = gate.add_key({"admin"});
  const net::HeaderFields unclear[] = {
      {{"Authorization", "Bearer"}},
      {{"Authorization", "Bearer "}},
      {{"Authorization", "Bearer a b"}},
      {{"Authorization", "Bearer " + token + ", Bearer " + token}},
      {{"Authorization", "Bearer " + token}, {"X-API-Key", key}},
      {{"Authorization", "Bearer " + token}, {"authorization", "Bearer " + token}},
      {{"X-API-Key", key}, {"x-api-key", key}},
  };
  for (const net::HeaderFields& headers : unclear) {
    const net::Response response = gate.ask(Access::admin, headers);
    expect_problem(response, 400, "VALIDATION_ERROR");
    EXPECT_EQ(header(response, "WWW-Authenticate"), "Bearer realm=\"fluxora\", error=\"invalid_request\"");
  }
  EXPECT_TRUE(gate.callers.empty());
}

TEST(Access, TokensEndAndBegin) {
  Gate gate;
  const core::UnixMillis now = gate.clock.now() / 1000;
  const auto status = [&](const std::string& claims) {
    return gate.ask(Access::admin, bearer(signed_token("{\"scope\":\"admin\"," + claims + "}"))).status;
  };
  EXPECT_EQ(status("\"exp\":" + std::to_string(now + 1)), 200u);
  EXPECT_EQ(status("\"exp\":" + std::to_string(now)), 401u);
  EXPECT_EQ(status("\"nbf\":" + std::to_string(now)), 200u);
  EXPECT_EQ(status("\"nbf\":" + std::to_string(now + 1)), 401u);
}

TEST(Access, WithoutASecretNoTokenIsGood) {
  Gate gate({true, "", 0});
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin"})"))).status, 401u);
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin"})", ""))).status, 401u);
}

TEST(Access, ASubjectThatWouldDisturbTheAuditLogIsRefused) {
  Gate gate;
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin","sub":"a\nb"})"))).status, 401u);
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin","sub":"\u0000"})"))).status, 401u);
  const std::string longest(255, 'x');
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin","sub":")" + longest + R"("})"))).status,
            200u);
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin","sub":")" + longest + R"(x"})"))).status,
            401u);
}

TEST(Access, AKeyIsAskedForOnceInItsLife) {
  Gate gate;
  const std::string key = gate.add_key({"admin"});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 200u);
  EXPECT_EQ(gate.keys.finds, 1);
  gate.clock.advance(std::chrono::milliseconds(key_cache_life_ms));
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 200u);
  EXPECT_EQ(gate.keys.finds, 2);
}

TEST(Access, ARevokedKeyIsGoodForAtMostItsLifeInTheCache) {
  Gate gate;
  const std::string key = gate.add_key({"admin"});
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 200u);
  gate.only_key().revoked_at = gate.clock.now();
  gate.clock.advance(std::chrono::milliseconds(key_cache_life_ms - 1));
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 200u);
  gate.clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 401u);
}

TEST(Access, AForgottenKeyIsAskedForAtOnce) {
  Gate gate;
  const std::string key = gate.add_key({"admin"});
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 200u);
  gate.only_key().revoked_at = gate.clock.now();
  gate.access.forget_key(gate.only_key().id);
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 401u);
}

TEST(Access, AKeyExpiresAlsoWhileRemembered) {
  Gate gate;
  const std::string key = gate.add_key({"admin"});
  gate.only_key().expires_at = gate.clock.now() + second;
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 200u);
  gate.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 401u);
}

TEST(Access, AnotherSecretOfARememberedKeyIsAskedFor) {
  Gate gate;
  const std::string key = gate.add_key({"admin"});
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 200u);
  const ApiKeyText replaced{gate.only_key().id, make_api_key(gate.random).secret};
  EXPECT_EQ(gate.ask(Access::admin, key_header(replaced.text())).status, 401u);
  gate.only_key().secret_hash = replaced.secret_hash();
  EXPECT_EQ(gate.ask(Access::admin, key_header(replaced.text())).status, 200u);
  EXPECT_EQ(gate.ask(Access::admin, key_header(key)).status, 401u);
}

TEST(Access, RequestsThatWaitForTheSameKeyShareTheQuestion) {
  Gate gate;
  const std::string key = gate.add_key({"admin"});
  gate.keys.hold = true;
  std::vector<unsigned> statuses;
  for (int i = 0; i < 3; ++i) {
    gate.access.admit(
        Access::admin, std::make_shared<const net::Request>(ApiBench::request("/", key_header(key))),
        [&](const net::Response& response) { statuses.push_back(response.status); }, gate.handler);
  }
  ASSERT_EQ(gate.keys.held.size(), 1u);
  gate.keys.held[0]();
  EXPECT_EQ(statuses, (std::vector<unsigned>{200, 200, 200}));
}

TEST(Access, WithoutTheDatabaseAnUnknownKeyIs503) {
  Gate gate;
  const std::string key = gate.add_key({"admin"});
  gate.keys.failure = ports::StoreFailure::unavailable;
  expect_problem(gate.ask(Access::admin, key_header(key)), 503, "SERVICE_UNAVAILABLE");
}

TEST(Access, WritesAreLimitedByWhoTheCallerIs) {
  Gate gate({false, jwt_secret, 2, {}});
  const std::string key = gate.add_key({"streams:write"});
  const std::string kim = signed_token(R"({"sub":"kim","scope":"streams:write"})");
  const std::string nameless = signed_token(R"({"scope":"streams:write"})");
  const net::HeaderFields clients[] = {{}, key_header(key), bearer(kim)};
  for (const auto& client : clients) {
    EXPECT_EQ(header(gate.ask(Access::streams_write, client), "RateLimit-Remaining"), "1");
    EXPECT_EQ(header(gate.ask(Access::streams_write, client), "RateLimit-Remaining"), "0");
    const net::Response refused = gate.ask(Access::streams_write, client);
    expect_problem(refused, 429, "TOO_MANY_REQUESTS");
    EXPECT_EQ(header(refused, "Retry-After"), "10");
    // Elsewhere it is the same client, where it has a name.
    EXPECT_EQ(gate.ask(Access::streams_write, client, "POST", "192.0.2.2").status, client.empty() ? 200u : 429u);
  }
  EXPECT_EQ(gate.ask(Access::streams_write, bearer(nameless)).status, 429u);  // counts as its address
  gate.clock.advance(std::chrono::milliseconds(rate_window_ms));
  EXPECT_EQ(gate.ask(Access::streams_write, {}).status, 200u);
}

TEST(Access, ReadsAreNotLimited) {
  Gate gate({true, jwt_secret, 1, {}});
  const std::string key = gate.add_key({"admin"});
  for (int i = 0; i < 5; ++i) {
    const net::Response response = gate.ask(Access::admin, key_header(key), "GET");
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(header(response, "RateLimit-Limit"), "");
  }
}

TEST(Access, GuessingIsLimitedByAddressAndCostsNothingThen) {
  Gate gate({true, jwt_secret, 3, {}});
  const std::string good = gate.add_key({"admin"});
  EXPECT_EQ(gate.ask(Access::admin, key_header(good), "GET").status, 200u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(gate.ask(Access::admin, key_header(make_api_key(gate.random).text()), "GET").status, 401u);
  }
  const int finds = gate.keys.finds;
  expect_problem(gate.ask(Access::admin, key_header(make_api_key(gate.random).text()), "GET"), 429,
                 "TOO_MANY_REQUESTS");
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin"})")), "GET").status, 429u);
  EXPECT_EQ(gate.keys.finds, finds);
  EXPECT_EQ(gate.ask(Access::admin, key_header(good), "GET").status, 200u);  // remembered: it isn't a guess
  EXPECT_EQ(gate.ask(Access::admin, bearer(signed_token(R"({"scope":"admin"})")), "GET", "192.0.2.9").status, 200u);
}

TEST(Access, DeniedAdministrationIsAuditedWithinBounds) {
  Gate gate;
  const std::string key = gate.add_key({"streams:write"});
  gate.ask(Access::admin, {});
  gate.ask(Access::admin, key_header(key));
  gate.ask(Access::streams_write, {});  // not an attempt at administration
  ASSERT_EQ(gate.audit.appended.size(), 2u);
  EXPECT_EQ(gate.audit.appended[0].actor, "address:192.0.2.1");
  EXPECT_EQ(gate.audit.appended[0].action, "access.denied");
  EXPECT_EQ(gate.audit.appended[0].target, "POST /a/path");
  EXPECT_EQ(gate.audit.appended[0].detail, R"({"status":401})");
  EXPECT_EQ(gate.audit.appended[1].actor, "key:" + gate.only_key().id);
  for (int i = 0; i < 100; ++i) gate.ask(Access::admin, {});
  EXPECT_EQ(gate.audit.appended.size(), 10u);
  for (int i = 0; i < 300; ++i) gate.ask(Access::admin, {}, "GET", "10.0.0." + std::to_string(i));
  EXPECT_EQ(gate.audit.appended.size(), 100u);
}

TEST(ApiKeyText, ReadsWhatItMakes) {
  FakeRandom random;
  const ApiKeyText made = make_api_key(random);
  EXPECT_EQ(made.text().substr(0, 21), "flx_0001020304050607_");
  EXPECT_EQ(made.text().size(), 64u);
  const auto read = parse_api_key(made.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, made.id);
  EXPECT_EQ(read->secret_hash(), made.secret_hash());
}

net::HeaderFields worker_header(const std::string& token) {
  return {{"x-indexer-worker-token", token}};
}
const std::string worker_token = "the worker token of these tests, 42 bytes.";

TEST(Access, TheWorkerTokenIsGoodForEventsOfTheChainAlone) {
  Gate gate({true, jwt_secret, 0, worker_token});
  EXPECT_EQ(gate.ask(Access::indexer_write, worker_header(worker_token)).status, 200u);
  EXPECT_EQ(gate.callers, std::vector<std::string>{"worker"});
  for (const Access other : {Access::streams_write, Access::webhooks_manage, Access::admin}) {
    EXPECT_EQ(gate.ask(other, worker_header(worker_token)).status, 401u);
  }
  for (const std::string& wrong : {std::string(), worker_token + ".", worker_token.substr(1), std::string(42, 'x')}) {
    EXPECT_EQ(gate.ask(Access::indexer_write, worker_header(wrong)).status, 401u) << wrong;
  }
  EXPECT_EQ(gate.callers.size(), 1u);
}

TEST(Access, WithoutAWorkerTokenNoneIsGood) {
  Gate gate;
  EXPECT_EQ(gate.ask(Access::indexer_write, worker_header("")).status, 401u);
  EXPECT_EQ(gate.ask(Access::indexer_write, worker_header(worker_token)).status, 401u);
  EXPECT_EQ(gate.ask(Access::indexer_write, bearer(signed_token(R"({"scope":"indexer:write"})"))).status, 200u);
}

TEST(Access, AWorkerTokenBesideAnotherCredentialIsUnclear) {
  Gate gate({true, jwt_secret, 0, worker_token});
  net::HeaderFields both = worker_header(worker_token);
  both.push_back(key_header(gate.add_key({"indexer:write"})).front());
  EXPECT_EQ(gate.ask(Access::indexer_write, both).status, 400u);
}

TEST(Access, WorkersHaveTheWriteLimitBetweenThem) {
  Gate gate({true, jwt_secret, 2, worker_token});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gate.ask(Access::indexer_write, worker_header(worker_token)).status, 200u);
  EXPECT_EQ(gate.ask(Access::indexer_write, worker_header(worker_token), "POST", "192.0.2.2").status, 429u);
}

TEST(Access, GuessingWorkerTokensIsCountedByAddress) {
  Gate gate({true, jwt_secret, 2, worker_token});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gate.ask(Access::indexer_write, worker_header("guess")).status, 401u);
  EXPECT_EQ(gate.ask(Access::indexer_write, worker_header(worker_token)).status, 429u);
  EXPECT_EQ(gate.ask(Access::indexer_write, worker_header(worker_token), "POST", "192.0.2.2").status, 200u);
}

TEST(ApiKeyText, NothingElseIsAKey) {
  FakeRandom random;
  const std::string good = make_api_key(random).text();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = '!';
    EXPECT_FALSE(parse_api_key(bad)) << bad;
  }
  for (const std::string& bad : {std::string(), good + "a", good.substr(1), "x" + good, " " + good.substr(1)}) {
    EXPECT_FALSE(parse_api_key(bad)) << bad;
  }
}

TEST(ApiKeyText, KeysAreTakenOutOfLogs) {
  FakeRandom random;
  const std::string key = make_api_key(random).text();
  EXPECT_EQ(without_credentials("/admin/api-keys/" + key + "/x?" + key), "/admin/api-keys/flx_/x?flx_");
  EXPECT_EQ(without_credentials("/api/streams"), "/api/streams");
  EXPECT_EQ(without_credentials("/a/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln-_x/b.c"), "/a/eyJ/b.c");
  EXPECT_EQ(without_credentials("eyJhIn0.eyJiIn0.sig eyJhIn0.eyJiIn0.si"), "eyJ eyJ");
  EXPECT_EQ(without_credentials("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi"), "eyJ") << "cut off before its signature";
  EXPECT_EQ(without_credentials("eyJ"), "eyJ");
  EXPECT_EQ(without_credentials("/a/whsec_MfKQ9r8G+a%2Fb/c== whsk_AQID \"whsec_ab-_\""), "/a/whsec_ whsk_ \"whsec_\"");
}

}  // namespace
}  // namespace fluxora::api::test
