#include "parts.hpp"

#include <string_view>

#include "options.hpp"

namespace fluxora::app {

ChainFollower::ChainFollower(const Config& config, store::Store& store, SystemClock& clock, SystemRandom& random,
                             JsonLog& log, ServiceWatch& watch, telemetry::Tracer& tracer)
    : breaker(clock, random, log),
      witness(horizon_witness(config, clock, log)),
      rpc(chain_source_options(config, breaker, tracer)),
      storage(storage_options(config, breaker), log),
      ledgers(store.make_ledger_store()),
      indexer(
          round_options(config, breaker, witness.get()), rpc, *ledgers, clock, log,
          [&watch](bool degraded, std::string_view why) { watch.chain_changed(degraded, why); }, &tracer) {}

void ChainFollower::start() {
  if (witness) witness->start();
  indexer.start();
}

ContractEvents::ContractEvents(const Config& config, store::Store& store, SystemClock& clock, JsonLog& log)
    : ledgers(store.make_ledger_store()), intake(intake_options(config), *ledgers, clock, log) {}

WebhookSender::WebhookSender(const Config& config, const core::SecretBox* secrets, SystemClock& clock,
                             SystemRandom& random, JsonLog& log, telemetry::Tracer& tracer)
    : transport(clock, webhook_transport_options(config)),
      dispatcher(dispatcher_options(config), store::make_delivery_queue(store_options(config)), transport, secrets,
                 clock, random, log, &tracer) {}

void WebhookSender::start() {
  transport.start();
  dispatcher.start();
}

void WebhookSender::begin_stop() {
  dispatcher.begin_stop();
}

void WebhookSender::stop(std::chrono::milliseconds within) {
  dispatcher.stop(within);
  transport.stop();
}

}  // namespace fluxora::app
