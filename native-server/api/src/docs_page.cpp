#include "docs_page.hpp"

#include <algorithm>
#include <string_view>

namespace fluxora::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view style = R"css(
:root { color-scheme: light dark; --line: #d5dae2; --soft: #f2f4f8; --ink: #1b2430; --dim: #566274; --link: #0b57c2; }
@media (prefers-color-scheme: dark) {
  :root { --line: #343d4c; --soft: #1c222c; --ink: #e4e9f1; --dim: #a3afc0; --link: #8ab8ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; color: var(--ink); font: 1rem/1.55 system-ui, sans-serif;
  overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { background: #12161d; } }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
:target { scroll-margin-top: 1rem; box-shadow: -0.6rem 0 0 -0.35rem var(--link); }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
code { font: 0.92em ui-monospace, monospace; }
pre { margin: 0.5rem 0; padding: 0.75rem; overflow-x: auto; background: var(--soft); border-radius: 0.4rem; }
h2 { margin: 2.5rem 0 0.5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 0 0 0.4rem; font-size: 1.1rem; }
h4 { margin: 1rem 0 0.3rem; font-size: 1rem; }
article { margin: 1rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: 0.5rem; }
nav ul { list-style: none; padding: 0; margin: 0.2rem 0 0.8rem; }
dl { margin: 0; }
dt { margin-top: 0.4rem; }
dd { margin: 0 0 0 1.2rem; }
dd p, dd ul { margin: 0.1rem 0; }
.dim { color: var(--dim); }
.method { font-weight: 700; text-transform: uppercase; }
)css";

constexpr std::string_view methods[] = {"get", "post", "put", "patch", "delete"};

std::string escaped(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      default: html += c;
    }
  }
  return html;
}

std::string code(std::string_view text) {
  return "<code>" + escaped(text) + "</code>";
}

std::string link(const std::string& anchor, std::string_view text) {
  return "<a href=\"#" + escaped(anchor) + "\">" + code(text) + "</a>";
}

/// A member's text; empty where there is none.
std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A value as it would stand in JSON.
std::string literal(const Json& value) {
  return code(value.dump());
}

/// One line of CommonMark, of which descriptions use code spans only.
std::string inline_html(std::string_view text) {
  std::string html;
  for (bool in_code = false;; in_code = !in_code) {
    const std::size_t tick = text.find('`');
    html += in_code ? code(text.substr(0, tick)) : escaped(text.substr(0, tick));
    if (tick == std::string_view::npos) return html;
    text.remove_prefix(tick + 1);
  }
}

/// A block of CommonMark: a paragraph, or a list with an item a line.
std::string block_html(std::string_view block) {
  if (!block.starts_with("- ")) return "<p>" + inline_html(block) + "</p>\n";
  std::string html = "<ul>\n";
  while (!block.empty()) {
    const std::string_view line = block.substr(0, block.find('\n'));
    html += "<li>" + inline_html(line.starts_with("- ") ? line.substr(2) : line) + "</li>\n";
    block.remove_prefix(std::min(block.size(), line.size() + 1));
  }
  return html + "</ul>\n";
}

std::string description_html(const Json& of) {
  const std::string text = text_of(of, "description");
  std::string html;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", from), text.size());
    html += block_html(std::string_view(text).substr(from, end - from));
    from = end + 2;
  }
  return html;
}

/// "#/components/schemas/Stream" → "Stream".
std::string ref_name(const std::string& ref) {
  return ref.substr(ref.rfind('/') + 1);
}

/// "#/components/schemas/Stream" → "schemas-Stream".
std::string ref_anchor(const std::string& ref) {
  constexpr std::string_view prefix = "#/components/";
  std::string anchor = ref.starts_with(prefix) ? ref.substr(prefix.size()) : ref;
  std::replace(anchor.begin(), anchor.end(), '/', '-');
  return anchor;
}

std::string joined(const Json& values, std::string_view between, std::string (*text)(const Json&)) {
  std::string html;
  for (const Json& value : values) html += (html.empty() ? "" : std::string(between)) + text(value);
  return html;
}

/// The type of a value in a few words, named schemas as links.
std::string type_html(const Json& schema) {
  if (const std::string ref = text_of(schema, "$ref"); !ref.empty()) return link(ref_anchor(ref), ref_name(ref));
  if (const auto found = schema.find("const"); found != schema.end()) return literal(*found);
  if (const auto found = schema.find("enum"); found != schema.end()) return joined(*found, " | ", literal);
  for (const char* choice : {"anyOf", "oneOf"}) {
    if (const auto found = schema.find(choice); found != schema.end()) return joined(*found, " or ", type_html);
  }
  const auto type = schema.find("type");
  if (type == schema.end()) return "anything";
  if (type->is_array()) return joined(*type, " or ", [](const Json& name) { return name.get<std::string>(); });
  if (*type == "array" && schema.contains("items")) return "array of " + type_html(schema["items"]);
  return type->get<std::string>();
}

/// What else a schema asks for.
std::string constraints_html(const Json& schema) {
  std::string html;
  const auto tell = [&](const char* name, const char* label) {
    const auto found = schema.find(name);
    if (found == schema.end()) return;
    html += ", " + std::string(label) + " " + (found->is_string() ? code(found->get<std::string>()) : literal(*found));
  };
  tell("minimum", "from");
  tell("maximum", "to");
  tell("minLength", "at least characters:");
  tell("maxLength", "at most characters:");
  tell("minItems", "at least items:");
  tell("maxItems", "at most items:");
  tell("pattern", "pattern");
  tell("default", "default");
  return html.empty() ? html : "<span class=\"dim\">" + html + "</span>";
}

bool is_required(const Json& schema, const std::string& member) {
  const auto required = schema.find("required");
  return required != schema.end() && std::find(required->begin(), required->end(), member) != required->end();
}

/// A schema's text and members, and those of the objects within.
std::string schema_html(const Json& schema) {
  std::string html = description_html(schema);
  const auto members = schema.find("properties");
  if (members == schema.end()) {
    return text_of(schema, "$ref").empty() ? html + "<p>" + type_html(schema) + constraints_html(schema) + "</p>\n"
                                           : html;
  }
  html += "<dl>\n";
  for (const auto& [name, member] : members->items()) {
    html += "<dt>" + code(name) + " " + type_html(member) + constraints_html(member);
    html += is_required(schema, name) ? "</dt>\n" : " <span class=\"dim\">optional</span></dt>\n";
    const std::string more = member.contains("properties") ? schema_html(member) : description_html(member);
    html += "<dd>" + more + "</dd>\n";  // also without a word: a term needs one
  }
  return html + "</dl>\n";
}

/// What stands in one of the components, where `value` only points at it.
const Json& resolved(const Json& description, const Json& value) {
  const std::string ref = text_of(value, "$ref");
  return ref.empty() ? value : description.at(Json::json_pointer(ref.substr(1)));
}

std::string content_html(const Json& message) {
  std::string html;
  const auto content = message.find("content");
  if (content == message.end()) return html;
  for (const auto& [media_type, media] : content->items()) {
    html += "<p>" + code(media_type) + ": " + type_html(media["schema"]) + "</p>\n";
    if (const auto example = media.find("example"); example != media.end()) {
      html += "<pre tabindex=\"0\"><code>" + escaped(example->dump(2)) + "</code></pre>\n";
    }
  }
  return html;
}

std::string parameters_html(const Json& description, const Json& parameters) {
  std::string html = "<h4>Parameters</h4>\n<dl>\n";
  for (const Json& given : parameters) {
    const Json& parameter = resolved(description, given);
    const Json& schema = parameter["schema"];
    html += "<dt>" + code(text_of(parameter, "name")) + " <span class=\"dim\">" + text_of(parameter, "in") +
            "</span> " + type_html(schema) + constraints_html(schema);
    if (parameter.value("required", false)) html += " <span class=\"dim\">required</span>";
    html += "</dt>\n<dd>" + description_html(parameter) + "</dd>\n";
  }
  return html + "</dl>\n";
}

/// A response's headers and body.
std::string response_html(const Json& description, const Json& response) {
  std::string html = description_html(response) + content_html(response);
  const auto headers = response.find("headers");
  if (headers == response.end()) return html;
  html += "<dl>\n";
  for (const auto& [name, given] : headers->items()) {
    const Json& header = resolved(description, given);
    html += "<dt>" + code(name) + " <span class=\"dim\">header" +
            (header.value("required", false) ? "" : ", optional") + "</span></dt>\n<dd>" + description_html(header) +
            "</dd>\n";
  }
  return html + "</dl>\n";
}

/// Answers with their statuses; shared ones are linked to.
std::string responses_html(const Json& description, const Json& responses) {
  std::string html = "<dl>\n";
  for (const auto& [status, response] : responses.items()) {
    const std::string ref = text_of(response, "$ref");
    html += "<dt>" + code(status) + (ref.empty() ? "" : " " + link(ref_anchor(ref), ref_name(ref))) + "</dt>\n<dd>";
    html += ref.empty() ? response_html(description, response) : description_html(resolved(description, response));
    html += "</dd>\n";
  }
  return html + "</dl>\n";
}

/// Who may: the ways that an operation's `security` allows.
std::string security_html(const Json& operation) {
  const auto security = operation.find("security");
  if (security == operation.end() || security->empty()) return {};
  std::string html;
  for (const Json& way : *security) {
    if (!html.empty()) html += " or ";
    if (way.empty()) html += "nothing, where the service lets everyone write";
    for (const auto& [scheme, scopes] : way.items()) {
      html += link("securitySchemes-" + scheme, scheme) + " with " + joined(scopes, ", ", literal);
    }
  }
  return "<p>Needs " + html + ".</p>\n";
}

std::string heading(std::string_view method, const std::string& path) {
  return "<span class=\"method\">" + code(method) + "</span> " + code(path);
}

std::string operation_html(const Json& description, std::string_view method, const std::string& path,
                           const Json& path_item, const Json& operation) {
  std::string html = "<article id=\"" + escaped(text_of(operation, "operationId")) + "\">\n<h3>" +
                     heading(method, path) + "</h3>\n<p>" + inline_html(text_of(operation, "summary")) + "</p>\n";
  html += description_html(operation) + security_html(operation);
  Json parameters = path_item.value("parameters", Json::array());
  for (const Json& own : operation.value("parameters", Json::array())) parameters.push_back(own);
  if (!parameters.empty()) html += parameters_html(description, parameters);
  if (const auto body = operation.find("requestBody"); body != operation.end()) {
    html += "<h4>Body</h4>\n" + content_html(*body);
  }
  return html + "<h4>Answers</h4>\n" + responses_html(description, operation["responses"]) + "</article>\n";
}

/// Calls `visit(method, path, path item, operation)` for the operations of a tag.
template <class Visit>
void for_each_operation(const Json& paths, const std::string& tag, Visit visit) {
  for (const auto& [path, item] : paths.items()) {
    for (const std::string_view method : methods) {
      const auto operation = item.find(std::string(method));
      if (operation != item.end() && (*operation)["tags"][0] == tag) visit(method, path, item, *operation);
    }
  }
}

/// Both what clients ask of the service, and what it asks of receivers of webhooks.
template <class Visit>
void for_each_operation_of(const Json& description, const std::string& tag, Visit visit) {
  for (const char* where : {"paths", "webhooks"}) {
    if (const auto found = description.find(where); found != description.end()) for_each_operation(*found, tag, visit);
  }
}

std::string navigation_html(const Json& description) {
  std::string html = "<nav aria-label=\"Operations\">\n";
  for (const Json& tag : description["tags"]) {
    const std::string name = text_of(tag, "name");
    html += "<a href=\"#tag-" + escaped(name) + "\">" + escaped(name) + "</a>\n<ul>\n";
    for_each_operation_of(
        description, name, [&](std::string_view method, const std::string& path, const Json&, const Json& operation) {
          html += "<li><a href=\"#" + escaped(text_of(operation, "operationId")) + "\">" + heading(method, path) +
                  "</a> <span class=\"dim\">" + inline_html(text_of(operation, "summary")) + "</span></li>\n";
        });
    html += "</ul>\n";
  }
  return html + "<a href=\"#schemas\">schemas</a>\n</nav>\n";
}

std::string operations_html(const Json& description) {
  std::string html;
  for (const Json& tag : description["tags"]) {
    const std::string name = text_of(tag, "name");
    html += "<h2 id=\"tag-" + escaped(name) + "\">" + escaped(name) + "</h2>\n" + description_html(tag);
    for_each_operation_of(
        description, name,
        [&](std::string_view method, const std::string& path, const Json& item, const Json& operation) {
          html += operation_html(description, method, path, item, operation);
        });
  }
  return html;
}

/// A chapter of components, each under the anchor that links to it use.
template <class Write>
std::string components_html(const Json& description, const char* kind, const char* title, Write write) {
  std::string html = "<h2 id=\"" + std::string(kind) + "\">" + title + "</h2>\n";
  for (const auto& [name, component] : description["components"][kind].items()) {
    html += "<article id=\"" + std::string(kind) + "-" + escaped(name) + "\">\n<h3>" + code(name) + "</h3>\n" +
            write(component) + "</article>\n";
  }
  return html;
}

}  // namespace

std::string docs_page(const Json& description) {
  const Json& info = description["info"];
  const std::string title = escaped(text_of(info, "title")) + " API " + escaped(text_of(info, "version"));
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>" +
      title + "</title>\n<style>" + std::string(style) + "</style>\n</head>\n<body>\n" +
      "<a class=\"skip\" href=\"#content\">To the content</a>\n<header>\n<h1>" + title + "</h1>\n<p>" +
      escaped(text_of(info, "summary")) + " <a href=\"/openapi.json\">The same as OpenAPI 3.1</a>.</p>\n</header>\n";
  html += navigation_html(description) + "<main id=\"content\">\n" + description_html(info);
  html += operations_html(description);
  html +=
      "<h2 id=\"any\">To any request</h2>\n" + responses_html(description, description["x-responses-to-any-request"]);
  html += components_html(description, "securitySchemes", "credentials",
                          [](const Json& scheme) { return description_html(scheme); });
  html += components_html(description, "responses", "shared answers",
                          [&](const Json& response) { return response_html(description, response); });
  html += components_html(description, "schemas", "schemas", schema_html);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace fluxora::api
