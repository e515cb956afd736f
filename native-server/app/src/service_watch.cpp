#include "service_watch.hpp"

#include <utility>

namespace fluxora::app {
namespace {

constexpr std::chrono::milliseconds look_pause{200};
constexpr std::string_view database_away = "Database unreachable";

}  // namespace

ServiceWatch::~ServiceWatch() {
  stop();
}

void ServiceWatch::start() {
  thread_ = std::thread([this] {
    do look();
    while (clock_.sleep(look_pause));
  });
}

void ServiceWatch::stop() {
  if (thread_.joinable()) thread_.join();
}

void ServiceWatch::chain_changed(bool degraded, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  chain_trouble_ = degraded ? reason : "";
}

std::string ServiceWatch::trouble() const {
  if (!database_.is_well()) return std::string(database_away);
  const std::lock_guard lock(mutex_);
  return chain_trouble_;
}

void ServiceWatch::look() {
  const std::string why = trouble();
  const core::UnixMillis now = clock_.now();
  if (why.empty() != degraded_) {
    differs_since_.reset();
    return;
  }
  if (!differs_since_ || now < *differs_since_) differs_since_ = now;
  if (now - *differs_since_ < (degraded_ ? calm : patience).count()) return;
  degraded_ = !degraded_;
  differs_since_.reset();
  if (degraded_) {
    log_.warn("service_degraded", why);
    told_ = why;
    return tell_(true, why);
  }
  log_.info("service_recovered", "");
  tell_(false, told_ == database_away ? "The database can be reached again." : "The service follows the chain again.");
}

}  // namespace fluxora::app
