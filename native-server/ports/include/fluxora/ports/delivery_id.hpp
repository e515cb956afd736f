#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/cursor.hpp"

namespace fluxora::ports {

/// A delivery: of an entry of the log, or of a test, for an endpoint.
struct DeliveryKey {
  std::uint64_t endpoint = 0;
  std::string epoch;  ///< empty: a test
  std::uint64_t seq = 0;

  friend bool operator==(const DeliveryKey&, const DeliveryKey&) = default;
};

/// What receivers see: "wd_<endpoint>_<epoch>_<seq>", of a test "wt_<endpoint>_<seq>". The same for the same entry and
/// endpoint, whenever it is delivered.
[[nodiscard]] inline std::string delivery_id(std::uint64_t endpoint, const std::string& epoch, std::uint64_t seq) {
  if (epoch.empty()) return "wt_" + std::to_string(endpoint) + "_" + std::to_string(seq);
  return "wd_" + std::to_string(endpoint) + "_" + epoch + "_" + std::to_string(seq);
}

/// Of delivery_id(). None: no such text comes from it.
[[nodiscard]] inline std::optional<DeliveryKey> parse_delivery_id(std::string_view id) {
  const bool test = id.starts_with("wt_");
  if (!test && !id.starts_with("wd_")) return std::nullopt;
  const std::size_t behind_endpoint = id.find('_', 3);
  const std::size_t before_seq = id.rfind('_');
  if (behind_endpoint == std::string_view::npos || test != (behind_endpoint == before_seq)) return std::nullopt;
  // Cursors have the same bounds and one spelling: of a test, an epoch is made up for its number.
  const auto cursor_of = [](std::string_view epoch, std::string_view number) {
    return core::parse_cursor(std::string(epoch) + "-" + std::string(number));
  };
  const auto endpoint = cursor_of("a", id.substr(3, behind_endpoint - 3));
  const std::string_view epoch = test ? "a" : id.substr(behind_endpoint + 1, before_seq - behind_endpoint - 1);
  const auto entry = cursor_of(epoch, id.substr(before_seq + 1));
  if (!endpoint || !entry) return std::nullopt;
  return DeliveryKey{endpoint->seq, test ? "" : entry->epoch, entry->seq};
}

/// Whom core::SecretBox binds an endpoint's secrets to.
[[nodiscard]] inline std::string webhook_secret_owner(std::uint64_t endpoint) {
  return "webhook_endpoint:" + std::to_string(endpoint);
}

}  // namespace fluxora::ports
