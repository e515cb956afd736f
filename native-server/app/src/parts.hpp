#pragma once

#include <chrono>
#include <memory>

#include "config.hpp"
#include "fluxora/chain/horizon_witness.hpp"
#include "fluxora/chain/rpc_breaker.hpp"
#include "fluxora/chain/rpc_contract_storage.hpp"
#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/core/secret_box.hpp"
#include "fluxora/indexer/event_intake.hpp"
#include "fluxora/indexer/indexer.hpp"
#include "fluxora/outbound/webhook_transport.hpp"
#include "fluxora/store/store.hpp"
#include "fluxora/telemetry/tracer.hpp"
#include "fluxora/webhooks/dispatcher.hpp"
#include "json_log.hpp"
#include "service_watch.hpp"
#include "system_clock.hpp"
#include "system_random.hpp"

/// Parts of the service that are there or not, as configured. What they are given outlives them.
namespace fluxora::app {

/// The chain's side of the service, where a chain is followed.
struct ChainFollower {
  ChainFollower(const Config& config, store::Store& store, SystemClock& clock, SystemRandom& random, JsonLog& log,
                ServiceWatch& watch, telemetry::Tracer& tracer);
  void start();

  chain::RpcBreaker breaker;
  std::unique_ptr<chain::HorizonWitness> witness;  ///< none: not configured
  chain::StellarRpc rpc;
  chain::RpcContractStorage storage;
  std::unique_ptr<ports::LedgerStore> ledgers;
  indexer::Indexer indexer;
};

/// In its place where others read the chain and send what it says.
struct ContractEvents {
  ContractEvents(const Config& config, store::Store& store, SystemClock& clock, JsonLog& log);

  std::unique_ptr<ports::LedgerStore> ledgers;
  indexer::EventIntake intake;
};

/// Sends webhooks, where WEBHOOK_DELIVERY is true.
struct WebhookSender {
  /// `secrets`: null where no keys are configured.
  WebhookSender(const Config& config, const core::SecretBox* secrets, SystemClock& clock, SystemRandom& random,
                JsonLog& log, telemetry::Tracer& tracer);
  void start();
  void begin_stop();
  /// Gives what is on its way `within` to end.
  void stop(std::chrono::milliseconds within);

  outbound::CurlTransport transport;
  webhooks::Dispatcher dispatcher;
};

}  // namespace fluxora::app
