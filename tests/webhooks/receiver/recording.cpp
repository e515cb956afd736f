#include "recording.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/sha256.hpp"

namespace fluxora::webhook_receiver {
namespace {

/// A member of the entry that the body carries; empty: there is none.
std::string entry_member(const nlohmann::json& body, const char* name) {
  const auto entry = body.find("data");
  if (entry == body.end() || !entry->is_object()) return {};
  const auto member = entry->find(name);
  return member != entry->end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

Recording::Recording(const std::string& path) {
  if (path.empty()) return;
  file_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), path);
}

Recording::~Recording() {
  if (file_ >= 0) close(file_);
}

void Recording::add(const net::Request& request, const Record& record) const {
  if (file_ < 0) return;
  const auto header = [&request](std::string_view name) { return request.header(name).value_or(std::string_view()); };
  nlohmann::json body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) body = nlohmann::json::object();
  std::string line;
  core::JsonWriter json(line);
  json.begin_object();
  json.key("at").integer(record.at);
  json.key("path").string(request.path);
  json.key("id").string(header("webhook-id"));
  json.key("timestamp").string(header("webhook-timestamp"));
  json.key("event").string(header("x-fluxora-event"));
  json.key("cursor").string(entry_member(body, "cursor"));
  json.key("streamId").string(entry_member(body, "streamId"));
  json.key("bodySha256").string(core::hex_encode(core::sha256(core::as_bytes(request.body))));
  json.key("verdict").string(record.verdict);
  json.key("handled").boolean(record.handled);
  json.key("duplicate").boolean(record.duplicate);
  json.key("status").unsigned_integer(record.status);
  json.end_object();
  line += '\n';
  // One call, which O_APPEND puts behind all others; what a full disk takes only a part of is no record any more.
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::system_error(errno, std::generic_category(), "a record");
  }
}

}  // namespace fluxora::webhook_receiver
