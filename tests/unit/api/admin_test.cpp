#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/api/api_key_text.hpp"

namespace fluxora::api::test {
namespace {

const net::HeaderFields admin = {{"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"admin"})")},
                                 {"Content-Type", "application/json"}};
const std::string keys_path = "/admin/api-keys";

TEST(AdminKeys, AreForAdministrators) {
  ApiBench bench;
  expect_problem(bench.ask(keys_path), 401, "UNAUTHORIZED");
  expect_problem(bench.ask(keys_path, {}, "POST", "{}"), 401, "UNAUTHORIZED");
  expect_problem(bench.ask(keys_path + "/0001020304050607", {}, "DELETE"), 401, "UNAUTHORIZED");
  expect_problem(bench.ask("/admin/audit"), 401, "UNAUTHORIZED");
}

TEST(AdminKeys, AKeyIsShownOnce) {
  ApiBench bench;
  const net::Response made =
      bench.ask(keys_path, admin, "POST",
                R"({"name":"partner","scopes":["streams:write","admin","admin"],"expiresAt":"2100-01-01T00:00:00Z"})");
  EXPECT_EQ(made.status, 201u) << body_text(made);
  EXPECT_EQ(header(made, "Cache-Control"), "no-store");
  const Json key = body_json(made);
  EXPECT_EQ(header(made, "Location"), keys_path + "/" + key["id"].get<std::string>());
  EXPECT_EQ(key["name"], "partner");
  EXPECT_EQ(key["scopes"], Json::parse(R"(["admin","streams:write"])"));
  EXPECT_EQ(key["expiresAt"], "2100-01-01T00:00:00.000Z");
  EXPECT_EQ(key["lastUsedAt"], nullptr);
  const std::string text = key["key"];
  const auto parsed = parse_api_key(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(bench.keys.keys.at(parsed->id).secret_hash, parsed->secret_hash());
  EXPECT_EQ(bench.keys.created_by.actor, "jwt:kim");
  EXPECT_EQ(bench.keys.created_by.request_id, "request-7");

  const net::Response listed = bench.ask(keys_path, admin);
  EXPECT_EQ(listed.status, 200u);
  EXPECT_EQ(body_json(listed)["keys"][0]["id"], key["id"]);
  EXPECT_EQ(body_text(listed).find(parsed->secret), std::string::npos);
  EXPECT_EQ(body_text(listed).find(core::hex_encode(parsed->secret_hash())), std::string::npos);
}

TEST(AdminKeys, EverythingWrongIsNamedAtOnce) {
  ApiBench bench;
  expect_bad_fields(bench.ask(keys_path, admin, "POST", R"({"name":"","scopes":["root"],"expiresAt":"soon","x":1})"),
                    {"name", "scopes", "expiresAt", "x"});
  expect_bad_fields(bench.ask(keys_path, admin, "POST", "{}"), {"name", "scopes"});
  expect_bad_fields(bench.ask(keys_path, admin, "POST", R"({"name":7,"scopes":[]})"), {"name", "scopes"});
  expect_bad_fields(
      bench.ask(keys_path, admin, "POST", R"({"name":"a","scopes":["admin"],"expiresAt":"2001-01-01T00:00:00Z"})"),
      {"expiresAt"});
  expect_problem(bench.ask(keys_path, {admin[0]}, "POST", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE");
  EXPECT_TRUE(bench.keys.keys.empty());
}

TEST(AdminKeys, RevokingSaysWhetherThereIsOne) {
  ApiBench bench;
  const Json key = body_json(bench.ask(keys_path, admin, "POST", R"({"name":"partner","scopes":["streams:write"]})"));
  const std::string path = keys_path + "/" + key["id"].get<std::string>();
  EXPECT_EQ(bench.ask(path, admin, "DELETE").status, 204u);
  EXPECT_EQ(bench.ask(path, admin, "DELETE").status, 204u);
  EXPECT_EQ(bench.keys.revoked_by.actor, "jwt:kim");
  expect_problem(bench.ask(keys_path + "/ffffffffffffffff", admin, "DELETE"), 404, "NOT_FOUND");
  expect_problem(bench.ask(keys_path + "/" + key["key"].get<std::string>(), admin, "DELETE"), 404, "NOT_FOUND");
}

TEST(AdminKeys, ListsHavePages) {
  ApiBench bench;
  for (int i = 0; i < 3; ++i) bench.ask(keys_path, admin, "POST", R"({"name":"a","scopes":["admin"]})");
  const Json page = body_json(bench.ask(keys_path + "?limit=2", admin));
  EXPECT_EQ(page["keys"].size(), 2u);
  EXPECT_EQ(page["has_more"], true);
  bench.ask(keys_path + "?cursor=" + page["next_cursor"].get<std::string>(), admin);
  EXPECT_EQ(bench.keys.listed_after, page["next_cursor"].get<std::string>());
  expect_bad_fields(bench.ask(keys_path + "?limit=0&cursor=x&y=1", admin), {"limit", "cursor", "y"});
}

TEST(Audit, IsReadInPagesWithFilters) {
  ApiBench bench;
  bench.audit.page = ports::AuditPage{{{42, 1'000, {"key:00", "key.create", "01", "192.0.2.1", "r", R"({"a":1})"}},
                                       {41, 0, {"command", "x", "", "", "", "{}"}}},
                                      true};
  const Json page =
      body_json(bench.ask("/admin/audit?source=chain&actor=a&action=b&target=c&cursor=50&limit=2", admin));
  EXPECT_EQ(page["entries"][0], Json::parse(R"({"position":42,"at":"1970-01-01T00:00:01.000Z","actor":"key:00",
    "action":"key.create","target":"01","address":"192.0.2.1","requestId":"r","detail":{"a":1}})"));
  EXPECT_EQ(page["entries"][1]["target"], nullptr);
  EXPECT_EQ(page["next_cursor"], "41");
  const ports::AuditQuery& query = bench.audit.queries.at(0);
  EXPECT_EQ(query.source, ports::AuditSource::chain);
  EXPECT_EQ(query.actor, "a");
  EXPECT_EQ(query.action, "b");
  EXPECT_EQ(query.target, "c");
  EXPECT_EQ(query.before, 50u);
  EXPECT_EQ(query.limit, 2u);
  expect_bad_fields(bench.ask("/admin/audit?source=x&actor=%00&cursor=-1&limit=101&y=1", admin),
                    {"source", "cursor", "limit", "y"});
}

}  // namespace
}  // namespace fluxora::api::test
