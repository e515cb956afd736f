#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
  /// Null: its secret can't be opened, or there is none. A previous one that can't be is left out.
  [[nodiscard]] static std::shared_ptr<const EndpointSigner> open(const ports::EndpointTarget& target,
                                                                  const core::SecretBox* box,
                                                                  std::string_view configured_secret);

  /// Whether it is made of the same secrets as this target has.
  [[nodiscard]] bool is_of(const ports::EndpointTarget& target) const noexcept;
  /// A rotation's previous secret couldn't be opened, so it doesn't sign.
  [[nodiscard]] bool lacks_previous() const noexcept { return sealed_previous_ && !previous_; }

  /// The value of `webhook-signature`: one token a live secret, the newest first. Errors: as WebhookSecret::sign.
  [[nodiscard]] core::Result<std::string> sign(std::string_view id, core::UnixMillis now, core::ByteView body) const;
  /// The value of `x-fluxora-signature`, by the newest secret.
  [[nodiscard]] std::string sign_fluxora(core::UnixMillis now, core::ByteView body) const;

 private:
  EndpointSigner() = default;

  std::optional<core::Bytes> sealed_;
  std::optional<core::Bytes> sealed_previous_;
  core::UnixMillis previous_until_ = 0;
  std::unique_ptr<core::WebhookSecret> newest_;
  std::unique_ptr<core::WebhookSecret> previous_;  // null: none that could be opened
};

/// An attempt that begins `now`, with the headers of both families. SPEC section 8. `traceparent`: may be empty.
/// Throws std::invalid_argument where the delivery's id is none that can be signed.
[[nodiscard]] ports::WebhookRequest make_delivery_request(const std::string& url, const EndpointSigner& signer,
                                                          const ports::ClaimedDelivery& delivery, core::UnixMillis now,
                                                          std::string_view traceparent);

}  // namespace fluxora::webhooks
