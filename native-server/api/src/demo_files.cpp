#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "document.hpp"
#include "problem.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t max_file_bytes = 4 * 1024 * 1024;
constexpr std::size_t max_files = 200;

/// Beside a file, what the build has made of it: its name with this ending, in that coding. Smaller ones first.
struct Coding {
  std::string_view ending;
  std::string_view name;
};
constexpr std::array<Coding, 2> codings = {{{".br", "br"}, {".gz", "gzip"}}};

using Contents = std::map<std::string, std::string>;  // by name
using Documents = std::map<std::string, Document>;    // by name

std::string content_type_of(const fs::path& file) {
  static const std::map<std::string, std::string> types = {{".html", "text/html; charset=utf-8"},
                                                           {".css", "text/css; charset=utf-8"},
                                                           {".js", "text/javascript; charset=utf-8"},
                                                           {".mjs", "text/javascript; charset=utf-8"},
                                                           {".json", "application/json"},
                                                           {".svg", "image/svg+xml"},
                                                           {".png", "image/png"},
                                                           {".ico", "image/x-icon"},
                                                           {".wasm", "application/wasm"},
                                                           {".woff2", "font/woff2"},
                                                           {".map", "application/json"},
                                                           {".txt", "text/plain; charset=utf-8"}};
  const auto found = types.find(file.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

std::string read_whole(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>()};
  if (!input) throw std::runtime_error("DEMO_ROOT: " + file.string() + " can't be read");
  return content;
}

/// All of the folder, read once: what isn't in this table doesn't exist, so no path can lead out of it.
Contents read_folder(const fs::path& root) {
  if (!fs::is_directory(root)) throw std::runtime_error("DEMO_ROOT: " + root.string() + " is not a folder");
  Contents contents;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    if (entry.file_size() > max_file_bytes || contents.size() >= max_files) {
      throw std::runtime_error("DEMO_ROOT: " + root.string() + " holds more than a demo page");
    }
    contents[fs::relative(entry.path(), root).generic_string()] = read_whole(entry.path());
  }
  if (!contents.contains("index.html")) throw std::runtime_error("DEMO_ROOT: " + root.string() + " has no index.html");
  return contents;
}

/// The name of the file that one of this name is a coding of; empty: it is of none.
std::string_view original_of(std::string_view name) {
  for (const Coding& coding : codings) {
    if (name.ends_with(coding.ending)) return name.substr(0, name.size() - coding.ending.size());
  }
  return {};
}

/// What the build puts into assets/ has its content's hash in its name. Everything else is asked for each time.
std::string cache_control_of(std::string_view name) {
  return name.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
}

Document make_document(const std::string& name, Contents& contents) {
  Document document{content_type_of(name), cache_control_of(name), {}};
  for (const Coding& coding : codings) {
    const auto coded = contents.find(name + std::string(coding.ending));
    if (coded == contents.end()) continue;
    document.representations.push_back(make_representation(std::string(coding.name), std::move(coded->second)));
  }
  document.representations.push_back(make_representation("", std::move(contents.at(name))));
  return document;
}

/// Codings are no resources of their own. One without its file is what an older build left, or half of a copy.
Documents documents_of(const fs::path& root) {
  Contents contents = read_folder(root);
  Documents documents;
  for (const auto& [name, content] : contents) {
    const std::string original(original_of(name));
    if (original.empty()) {
      documents.emplace(name, make_document(name, contents));
    } else if (!contents.contains(original) || !original_of(original).empty()) {
      throw std::runtime_error("DEMO_ROOT: " + (root / name).string() + " is there without the file that it is of");
    }
  }
  return documents;
}

}  // namespace

void add_demo_files(net::Router& router, const ApiContext& context) {
  auto documents = std::make_shared<const Documents>(documents_of(context.demo_root));
  const auto serve = [documents](const std::string& name, const net::Request& request, const net::Respond& respond) {
    const auto found = documents->find(name);
    if (found == documents->end()) return respond(problem(404, "There is no such page.", request));
    respond(document_response(found->second, request));
  };
  router.add("GET", "/demo", [](const std::shared_ptr<const net::Request>&, const net::Respond& respond) {
    net::Response response;
    response.status = 308;
    response.headers.emplace_back("Location", "/demo/");
    respond(std::move(response));
  });
  router.add("GET", "/demo/", [serve](const std::shared_ptr<const net::Request>& request, const net::Respond& respond) {
    serve("index.html", *request, respond);
  });
  router.add("GET", "/demo/*",
             [serve](const std::shared_ptr<const net::Request>& request, const net::Respond& respond) {
               serve(request->path_parameters[0], *request, respond);
             });
}

}  // namespace fluxora::api
