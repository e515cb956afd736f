#include "fluxora/webhooks/secret_resealer.hpp"

#include <utility>

#include "fluxora/core/hmac_sha256.hpp"
#include "fluxora/ports/delivery_id.hpp"

namespace fluxora::webhooks {

SecretResealer::SecretResealer(ports::WebhookUpkeep& store, const core::SecretBox* secrets, ports::Random& random,
                               ports::Log& log)
    : store_(store), secrets_(secrets), random_(random), log_(log) {}

bool SecretResealer::step() {
  if (secrets_ == nullptr) return false;
  auto page = store_.sealed_secrets(last_, secrets_a_step);
  std::uint64_t unreadable = 0;
  for (const ports::SealedSecret& secret : page) unreadable += look_at(secret) ? 0U : 1U;
  unreadable_ += unreadable;  // a page that the database ended comes again
  if (!page.empty()) last_ = std::move(page.back());
  if (page.size() == secrets_a_step) return true;
  if (std::exchange(changed_meanwhile_, false)) {
    last_.reset();
    unreadable_ = 0;
    return true;
  }
  tell();
  secrets_ = nullptr;
  return false;
}

bool SecretResealer::look_at(const ports::SealedSecret& secret) {
  const std::string owner = ports::webhook_secret_owner(secret.endpoint);
  if (secrets_->is_of_first_key(secret.sealed, owner)) return true;
  auto text = secrets_->open(secret.sealed, owner);
  if (!text) return false;
  core::SecretBoxNonce nonce{};
  random_.fill(nonce);
  const core::Bytes sealed = secrets_->seal(*text, owner, nonce);
  core::wipe(*text);
  if (store_.reseal(secret, sealed)) {
    ++resealed_;
  } else {
    changed_meanwhile_ = true;
  }
  return true;
}

void SecretResealer::tell() const {
  if (unreadable_ == 0) {
    log_.info("webhook_secrets_resealed", "all secrets of endpoints are sealed under the first of WEBHOOK_SECRET_KEYS",
              {{"resealed", resealed_}, {"unreadable", unreadable_}});
  } else {
    log_.warn("webhook_secrets_resealed", "no key of WEBHOOK_SECRET_KEYS opens some secrets of endpoints",
              {{"resealed", resealed_}, {"unreadable", unreadable_}});
  }
}

}  // namespace fluxora::webhooks
