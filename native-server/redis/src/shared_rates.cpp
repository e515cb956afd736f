#include "shared_rates.hpp"

#include <algorithm>
#include <optional>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/sha256.hpp"

namespace fluxora::redis {
namespace {

/// The first in a window sets its end, and so does whoever finds a key that has none.
constexpr const char* count_script =
    "local total = redis.call('incr', KEYS[1]) "
    "local left = redis.call('pttl', KEYS[1]) "
    "if left < 0 then redis.call('pexpire', KEYS[1], ARGV[1]) left = tonumber(ARGV[1]) end "
    "return {total, left}";

constexpr std::size_t hash_bytes = 16;

std::string key_of(std::string prefix, std::string_view limit, std::string_view client) {
  const core::Hash hash = core::sha256(core::as_bytes(client));
  prefix.append(limit).append(":").append(core::hex_encode(core::ByteView(hash.data(), hash_bytes)));
  return prefix;
}

bool is_count(const Reply& reply) {
  return reply.kind == Reply::Kind::list && reply.list.size() == 2 && reply.list[0].kind == Reply::Kind::integer &&
         reply.list[1].kind == Reply::Kind::integer && reply.list[0].integer > 0 && reply.list[1].integer >= 0;
}

}  // namespace

SharedRates::SharedRates(const ports::Clock& clock, Prefix prefix, Submit submit)
    : clock_(clock), prefix_(std::move(prefix)), submit_(std::move(submit)) {}

bool SharedRates::add(std::string_view limit, std::string_view client, core::UnixMillis window_ms, Counted counted) {
  std::string prefix = prefix_();
  const bool asked =
      !prefix.empty() &&
      submit_(
          {"EVAL", count_script, "1", key_of(std::move(prefix), limit, client), std::to_string(window_ms)},
          [this, window_ms, counted = std::move(counted)](const Reply* reply) { answer(reply, window_ms, counted); });
  if (!asked) ++alone_;
  return asked;
}

void SharedRates::answer(const Reply* reply, core::UnixMillis window_ms, const Counted& counted) {
  if (reply == nullptr || !is_count(*reply)) {
    ++alone_;
    return counted(std::nullopt);
  }
  ++shared_;
  const core::UnixMillis left = std::min<core::UnixMillis>(reply->list[1].integer, window_ms);
  counted(Count{static_cast<std::uint64_t>(reply->list[0].integer), clock_.now() + left});
}

SharedRates::Counts SharedRates::counts() const {
  return {shared_, alone_};
}

}  // namespace fluxora::redis
