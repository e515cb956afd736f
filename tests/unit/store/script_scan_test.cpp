#include "fluxora/store/script_scan.hpp"

#include <gtest/gtest.h>

namespace fluxora::store {
namespace {

const std::string script =
    "SET statement_timeout = 0;\n"
    "CREATE TABLE public.log_head (\n    one boolean\n);\n"
    "COPY public.events (seq, event) FROM stdin;\n"
    "1\tCREATE TABLE other.log_head (\n"
    "2\t\\\\.\n"
    "\\.\n"
    "COPY public.schema_migrations (name, checksum, applied_at) FROM stdin;\n"
    "002_api_streams\tbb\t2026-01-01 00:00:00+00\n"
    "001_event_log\taa\t2026-01-01 00:00:00+00\n"
    "\\.\n"
    "COPY public.zebra (name, checksum, at) FROM stdin;\n"
    "003_no\tcc\tx\n"
    "\\.\n";

using Migrations = std::vector<std::pair<std::string, std::string>>;

TEST(ScriptScan, FindsTheLogsSchemaAndMigrationsHoweverTheScriptIsCut) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, script.size()}) {
    ScriptScan scan;
    for (std::size_t at = 0; at < script.size(); at += step) scan.take(std::string_view(script).substr(at, step));
    EXPECT_EQ(scan.schema(), "public");
    EXPECT_EQ(scan.migrations(), (Migrations{{"001_event_log", "aa"}, {"002_api_streams", "bb"}}));
  }
}

TEST(ScriptScan, FindsNothingInOtherScripts) {
  ScriptScan scan;
  scan.take("CREATE TABLE public.users (\n);\nCOPY public.users (id) FROM stdin;\n1\n\\.\n");
  EXPECT_EQ(scan.schema(), "");
  EXPECT_TRUE(scan.migrations().empty());
}

TEST(ScriptScan, TakesNoSchemaWhoseNameWouldNeedQuoting) {
  ScriptScan scan;
  scan.take("CREATE TABLE \"x; DROP\".log_head (\nCREATE TABLE a.b.log_head (\n");
  EXPECT_EQ(scan.schema(), "");
}

TEST(ScriptScan, TellsWhereAScriptCommitsByItself) {
  ScriptScan scan;
  scan.take(script + "COPY public.events (event) FROM stdin;\nCOMMIT;\n\\.\n");
  EXPECT_FALSE(scan.commits()) << "a row";
  scan.take("BEGIN;\nSELECT pg_catalog.lo_open('16999', 131072);\nCOMMIT;\n");
  EXPECT_TRUE(scan.commits());
}

TEST(ScriptScan, KeepsNoMoreThanALinesBeginning) {
  ScriptScan scan;
  scan.take("COPY public.events (seq) FROM stdin;\n");
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 64; ++i) scan.take(piece);
  scan.take("\n\\.\nCREATE TABLE fluxora.log_head (\n");
  EXPECT_EQ(scan.schema(), "fluxora");
}

}  // namespace
}  // namespace fluxora::store
