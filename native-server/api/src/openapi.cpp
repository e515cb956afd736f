#include "openapi.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "docs_page.hpp"
#include "document.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

Document make_document(std::string content_type, std::string text) {
  // Kept, but asked for each time: after an update of the service the old one would mislead.
  return {std::move(content_type), "no-cache", {make_representation("", std::move(text))}};
}

void add_document(net::Router& router, std::string_view path, Document document) {
  router.add(
      "GET", path,
      [document = std::move(document)](const std::shared_ptr<const net::Request>& request,
                                       const net::Respond& respond) {
        const auto problems = QueryParameters(*request).problems();
        respond(problems.empty() ? document_response(document, *request) : validation_problem(*request, problems));
      });
}

}  // namespace

nlohmann::ordered_json openapi_description(std::string_view version, std::string_view public_url) {
  auto description = nlohmann::ordered_json::parse(embedded_openapi(), nullptr, /*allow_exceptions=*/false);
  if (!description.is_object()) throw std::runtime_error("openapi.json is not JSON");
  description["info"]["version"] = version;
  while (public_url.ends_with('/')) public_url.remove_suffix(1);
  if (!public_url.empty()) description["servers"][0]["url"] = public_url;
  return description;
}

void add_openapi_routes(net::Router& router, const ApiContext& context) {
  const nlohmann::ordered_json description = openapi_description(context.version, context.public_url);
  add_document(router, "/openapi.json", make_document("application/json", description.dump()));
  add_document(router, "/docs", make_document("text/html; charset=utf-8", docs_page(description)));
}

}  // namespace fluxora::api
