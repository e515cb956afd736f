#include <filesystem>
#include <fstream>
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
