#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/secret_box.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/webhook_transport.hpp"

namespace fluxora::webhooks {

/// An endpoint's secrets, opened: what signs its deliveries. From any thread once it is made.
class EndpointSigner {
 public:
  /// `box`: null where no keys are configured. `configured_secret`: of an endpoint that has no sealed one.
  /// Null: its secret can't be opened, or there is none. A former one that can't be is left out.
  [[nodiscard]] static std::shared_ptr<const EndpointSigner> open(const ports::EndpointTarget& target,
                                                                  const core::SecretBox* box,
                                                                  std::string_view configured_secret);

  /// Whether it is made of the same secrets as this target has.
  [[nodiscard]] bool is_of(const ports::EndpointTarget& target) const noexcept;
  /// A former secret couldn't be opened, so it doesn't sign.
  [[nodiscard]] bool lacks_former() const noexcept { return former_.size() < sealed_former_.size(); }

  /// The value of `webhook-signature`: one token a live secret, the newest first. Errors: as WebhookSecret::sign.
  [[nodiscard]] core::Result<std::string> sign(std::string_view id, core::UnixMillis now, core::ByteView body) const;
  /// The value of `x-fluxora-signature`, by the newest secret.
  [[nodiscard]] std::string sign_fluxora(core::UnixMillis now, core::ByteView body) const;

 private:
  EndpointSigner() = default;

  struct Former {
    std::unique_ptr<core::WebhookSecret> secret;
    core::UnixMillis until = 0;
  };

  std::optional<core::Bytes> sealed_;
  std::vector<ports::FormerSecret> sealed_former_;
  std::unique_ptr<core::WebhookSecret> newest_;
  std::vector<Former> former_;  // those that could be opened
};

/// An attempt that begins `now`, with the headers of both families. SPEC section 8. `traceparent`: may be empty.
/// Throws std::invalid_argument where the delivery's id is none that can be signed.
[[nodiscard]] ports::WebhookRequest make_delivery_request(const std::string& url, const EndpointSigner& signer,
                                                          const ports::ClaimedDelivery& delivery, core::UnixMillis now,
                                                          std::string_view traceparent);

}  // namespace fluxora::webhooks
