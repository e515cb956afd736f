#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "fluxora/core/secret_box.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/webhook_upkeep.hpp"

namespace fluxora::webhooks {

/// Seals secrets under the first key that were sealed under one behind it, so that this one can go. Once a process:
/// keys change with a new one, and what it seals is under its first.
class SecretResealer {
 public:
  static constexpr std::size_t secrets_a_step = 500;

  /// `secrets`: null where no keys are configured. All references outlive it.
  SecretResealer(ports::WebhookUpkeep& store, const core::SecretBox* secrets, ports::Random& random, ports::Log& log);

  /// Goes on with the next ones. False: there are no more, which is logged with how many there were. Throws
  /// ports::StoreUnavailable; what is done stays done.
  bool step();

 private:
  /// False: none of the keys opens it.
  bool look_at(const ports::SealedSecret& secret);
  void tell() const;

  ports::WebhookUpkeep& store_;
  const core::SecretBox* secrets_;  // null: nothing to do, or it is done
  ports::Random& random_;
  ports::Log& log_;
  std::optional<ports::SealedSecret> last_;
  bool changed_meanwhile_ = false;  // by somebody else: all are looked at again
  std::uint64_t resealed_ = 0;
  std::uint64_t unreadable_ = 0;
};

}  // namespace fluxora::webhooks
