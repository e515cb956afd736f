#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "problem.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t max_file_bytes = 4 * 1024 * 1024;
constexpr std::size_t max_files = 200;

struct DemoFile {
  std::string content_type;
  std::shared_ptr<const std::string> content;
};

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

std::shared_ptr<const std::string> read_whole(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  auto content = std::make_shared<std::string>(std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>());
  if (!input) throw std::runtime_error("DEMO_ROOT: " + file.string() + " can't be read");
  return content;
}

/// All of the folder, read once: what isn't in this table doesn't exist, so no path can lead out of it.
std::map<std::string, DemoFile> read_folder(const fs::path& root) {
  if (!fs::is_directory(root)) throw std::runtime_error("DEMO_ROOT: " + root.string() + " is not a folder");
  std::map<std::string, DemoFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    if (entry.file_size() > max_file_bytes || files.size() >= max_files) {
      throw std::runtime_error("DEMO_ROOT: " + root.string() + " holds more than a demo page");
    }
    files[fs::relative(entry.path(), root).generic_string()] = {content_type_of(entry.path()),
                                                                read_whole(entry.path())};
  }
  if (!files.contains("index.html")) throw std::runtime_error("DEMO_ROOT: " + root.string() + " has no index.html");
  return files;
}

}  // namespace

void add_demo_files(net::Router& router, const ApiContext& context) {
  auto files = std::make_shared<const std::map<std::string, DemoFile>>(read_folder(context.demo_root));
  const auto serve = [files](const std::string& name, const net::Request& request, const net::Respond& respond) {
    const auto found = files->find(name);
    if (found == files->end()) return respond(problem(404, "There is no such page.", request));
    net::Response response;
    response.content_type = found->second.content_type;
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.body = found->second.content;
    respond(std::move(response));
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
