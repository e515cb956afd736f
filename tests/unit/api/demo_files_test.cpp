#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "api_bench.hpp"

namespace fluxora::api::test {
namespace {

namespace fs = std::filesystem;

class DemoFilesTest : public ::testing::Test {
 protected:
  DemoFilesTest() {
    std::string pattern = (fs::temp_directory_path() / "fluxora-demo-XXXXXX").string();
    outside_ = mkdtemp(pattern.data());
    root_ = outside_ / "demo";
    write("demo/index.html", "<p>demo</p>");
    write("demo/core/fluxora.wasm", std::string("\0asm", 4));
    write("demo/data.unknown", "?");
    write("secret.txt", "outside");
  }
  ~DemoFilesTest() override { fs::remove_all(outside_); }

  void write(const std::string& name, const std::string& content) {
    fs::create_directories((outside_ / name).parent_path());
    std::ofstream(outside_ / name, std::ios::binary) << content;
  }
  /// Why there is no service with this folder; empty when there is.
  [[nodiscard]] static std::string refusal(const fs::path& root) {
    try {
      const ApiBench bench(true, root.string());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }

  fs::path outside_;
  fs::path root_;
};

TEST_F(DemoFilesTest, ThePageAndItsFiles) {
  ApiBench bench(true, root_.string());
  const net::Response page = bench.ask("/demo/");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(body_text(page), "<p>demo</p>");
  EXPECT_EQ(header(page, "Cache-Control"), "no-cache");
  EXPECT_EQ(body_text(bench.ask("/demo/index.html")), "<p>demo</p>");
  const net::Response wasm = bench.ask("/demo/core/fluxora.wasm");
  EXPECT_EQ(wasm.content_type, "application/wasm") << "browsers compile it as it streams in, of this type only";
  EXPECT_EQ(body_text(wasm), std::string("\0asm", 4));
  EXPECT_EQ(bench.ask("/demo/data.unknown").content_type, "application/octet-stream");
}

TEST_F(DemoFilesTest, TheFolderWithoutItsSlash) {
  ApiBench bench(true, root_.string());
  const net::Response response = bench.ask("/demo");
  EXPECT_EQ(response.status, 308u);
  EXPECT_EQ(header(response, "Location"), "/demo/");
}

TEST_F(DemoFilesTest, OnlyWhatHasItsHashInItsNameIsKept) {
  write("demo/assets/app-BZ3x9.js", "1");
  write("demo/assetsapp.js", "1");
  ApiBench bench(true, root_.string());
  EXPECT_EQ(header(bench.ask("/demo/assets/app-BZ3x9.js"), "Cache-Control"), "public, max-age=31536000, immutable");
  for (const std::string name : {"", "index.html", "core/fluxora.wasm", "assetsapp.js"}) {
    EXPECT_EQ(header(bench.ask("/demo/" + name), "Cache-Control"), "no-cache") << name;
  }
}

/// A file with both codings, one with gzip alone, and one as it is.
class CodedDemoFilesTest : public DemoFilesTest {
 protected:
  CodedDemoFilesTest() {
    write("demo/index.html.br", "page as br");
    write("demo/index.html.gz", "page as gzip");
    write("demo/app.js", "app");
    write("demo/app.js.gz", "app as gzip");
    bench_.emplace(true, root_.string());
  }
  [[nodiscard]] net::Response ask(const std::string& name, const std::string& accepted) {
    return bench_->ask("/demo/" + name, {{"Accept-Encoding", accepted}});
  }

  std::optional<ApiBench> bench_;
};

TEST_F(CodedDemoFilesTest, TheClientChoosesTheCoding) {
  const auto expect = [this](const std::string& name, const std::string& accepted, const std::string& coding,
                             const std::string& bytes) {
    const net::Response response = ask(name, accepted);
    EXPECT_EQ(response.status, 200u) << accepted;
    EXPECT_EQ(header(response, "Content-Encoding"), coding) << accepted;
    EXPECT_EQ(body_text(response), bytes) << accepted;
  };
  expect("", "gzip, deflate, br, zstd", "br", "page as br");
  expect("", "gzip", "gzip", "page as gzip");
  expect("", "br;q=0.5, gzip;q=0.8", "gzip", "page as gzip");
  expect("", "br;q=0, *", "gzip", "page as gzip");
  expect("", "*", "br", "page as br");
  expect("", "*;q=0.5, identity", "", "<p>demo</p>");
  expect("", "gzip;q=0.5, identity;q=0.4", "gzip", "page as gzip");
  expect("", "zstd", "", "<p>demo</p>");
  expect("", "", "", "<p>demo</p>");
  expect("", "br;q=0, gzip;q=0, identity;q=0", "", "<p>demo</p>");
  expect("app.js", "br, gzip;q=0.1", "gzip", "app as gzip");
  expect("app.js", "br", "", "app");
  expect("data.unknown", "br, gzip, identity;q=0", "", "?");
}

TEST_F(CodedDemoFilesTest, WithoutAcceptEncodingTheFileAsItIs) {
  const net::Response response = bench_->ask("/demo/");
  EXPECT_EQ(header(response, "Content-Encoding"), "");
  EXPECT_EQ(body_text(response), "<p>demo</p>");
}

TEST_F(CodedDemoFilesTest, ACodedAnswerIsStillOfTheFilesType) {
  EXPECT_EQ(ask("", "br").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(ask("app.js", "gzip").content_type, "text/javascript; charset=utf-8");
}

TEST_F(CodedDemoFilesTest, CachesAreToldWhatItDependsOn) {
  for (const std::string accepted : {"br", "gzip", "identity"}) {
    EXPECT_EQ(header(ask("", accepted), "Vary"), "Accept-Encoding") << accepted;
  }
  EXPECT_EQ(header(ask("data.unknown", "br"), "Vary"), "") << "there is one representation only";
}

TEST_F(CodedDemoFilesTest, EachRepresentationHasItsTag) {
  std::set<std::string> tags;
  for (const std::string accepted : {"br", "gzip", "identity"}) tags.insert(header(ask("", accepted), "ETag"));
  EXPECT_EQ(tags.size(), 3u);
  for (const std::string& tag : tags) EXPECT_TRUE(tag.starts_with('"') && tag.ends_with('"')) << tag << " is weak";
  EXPECT_EQ(header(ask("", "br"), "ETag"), header(ask("index.html", "br"), "ETag")) << "the same bytes";
}

TEST_F(CodedDemoFilesTest, WhatTheClientHasIsNotSentAgain) {
  const std::string tag = header(ask("", "br"), "ETag");
  const net::Response same = bench_->ask("/demo/", {{"Accept-Encoding", "br"}, {"If-None-Match", tag}});
  EXPECT_EQ(same.status, 304u);
  EXPECT_EQ(body_text(same), "");
  EXPECT_EQ(header(same, "ETag"), tag);
  EXPECT_EQ(header(same, "Cache-Control"), "no-cache");
  EXPECT_EQ(header(same, "Vary"), "Accept-Encoding");
  EXPECT_EQ(header(same, "Content-Encoding"), "") << "RFC 9110 section 15.4.5: nothing else of the representation";
  const net::Response other = bench_->ask("/demo/", {{"Accept-Encoding", "gzip"}, {"If-None-Match", tag}});
  EXPECT_EQ(other.status, 200u) << "it has another representation";
}

TEST_F(CodedDemoFilesTest, CodingsAreNoResources) {
  for (const std::string name : {"index.html.br", "index.html.gz", "app.js.gz"}) {
    expect_problem(bench_->ask("/demo/" + name), 404, "NOT_FOUND");
  }
}

TEST_F(DemoFilesTest, ACodingWithoutItsFileStopsTheStart) {
  for (const std::string name : {"old.js.br", "assets/old.css.gz", "core/fluxora.wasm.br.gz"}) {
    write("demo/core/fluxora.wasm.br", "coded");
    write("demo/" + name, "coded");
    const std::string why = refusal(root_);
    EXPECT_EQ(why, "DEMO_ROOT: " + (root_ / name).string() + " is there without the file that it is of");
    fs::remove(root_ / name);
  }
  EXPECT_EQ(refusal(root_), "");
}

TEST_F(DemoFilesTest, WhatIsNotInTheFolderIsNotThere) {
  ApiBench bench(true, root_.string());
  for (const std::string name : {"none.html", "core", "core/", "../secret.txt", "core/../index.html", "./index.html",
                                 "//index.html", "INDEX.HTML", "index.html/", ".."}) {
    expect_problem(bench.ask("/demo/" + name), 404, "NOT_FOUND");
  }
}

TEST_F(DemoFilesTest, FilesThatComeLaterAreNotThere) {
  ApiBench bench(true, root_.string());
  write("demo/late.txt", "late");
  expect_problem(bench.ask("/demo/late.txt"), 404, "NOT_FOUND");
}

TEST_F(DemoFilesTest, TheRootNamesThePage) {
  ApiBench bench(true, root_.string());
  EXPECT_EQ(body_json(bench.ask("/"))["links"]["demo"], "/demo/");
}

TEST_F(DemoFilesTest, WithoutAFolderThereIsNoPage) {
  const ApiBench bench;
  EXPECT_EQ(bench.router->match("GET", "/demo/").handler, nullptr);
}

TEST_F(DemoFilesTest, AFolderThatCannotBeServedStopsTheStart) {
  EXPECT_NE(refusal(outside_ / "none").find("is not a folder"), std::string::npos);
  EXPECT_NE(refusal(outside_).find("has no index.html"), std::string::npos);
  write("demo/big.bin", std::string(4 * 1024 * 1024 + 1, 'x'));
  EXPECT_NE(refusal(root_).find("more than a demo page"), std::string::npos);
  fs::remove(root_ / "big.bin");
  EXPECT_EQ(refusal(root_), "");
  for (int i = 0; i < 200; ++i) write("demo/" + std::to_string(i), "");
  EXPECT_NE(refusal(root_).find("more than a demo page"), std::string::npos);
}

}  // namespace
}  // namespace fluxora::api::test
