#pragma once

#include <memory>

#include "config.hpp"
#include "fluxora/api/access.hpp"
#include "fluxora/chain/horizon_witness.hpp"
#include "fluxora/chain/rpc_breaker.hpp"
#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/indexer/event_intake.hpp"
#include "fluxora/indexer/indexer.hpp"
#include "fluxora/net/server.hpp"
#include "fluxora/ops/backup.hpp"
#include "fluxora/outbound/webhook_transport.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/tracing.hpp"
#include "fluxora/store/store.hpp"
#include "fluxora/telemetry/request_metrics.hpp"
#include "fluxora/telemetry/span_exporter.hpp"
#include "fluxora/telemetry/tracer.hpp"
#include "fluxora/webhooks/dispatcher.hpp"
#include "fluxora/webhooks/upkeep.hpp"
#include "log_pruner.hpp"

namespace fluxora::app {

// What each part is told of the configuration.

[[nodiscard]] store::StoreOptions store_options(const Config& config);
/// For the indexer, whose calls are parts of its batches' traces.
[[nodiscard]] chain::StellarRpcOptions chain_source_options(const Config& config, chain::RpcBreaker& breaker,
                                                            ports::Tracer& tracer);
/// For what clients wait for: they are told soon that the RPC has no answer.
[[nodiscard]] chain::StellarRpcOptions storage_options(const Config& config, chain::RpcBreaker& breaker);
/// For whoever reads the chain a second time.
[[nodiscard]] chain::StellarRpcOptions replay_source_options(const Config& config, chain::RpcBreaker* breaker);
/// None where HORIZON_URL isn't set.
[[nodiscard]] std::unique_ptr<chain::HorizonWitness> horizon_witness(const Config& config, ports::Clock& clock,
                                                                     ports::Log& log);
[[nodiscard]] indexer::IndexerOptions indexer_options(const Config& config);
/// The same with what its rounds heed and show besides. `witness`: null for none.
[[nodiscard]] indexer::IndexerOptions round_options(const Config& config, const ports::RpcCircuit& circuit,
                                                    const ports::ChainWitness* witness);
[[nodiscard]] indexer::EventIntakeOptions intake_options(const Config& config);
[[nodiscard]] api::AccessOptions access_options(const Config& config);
/// Each request is told to the log, counted and, where it is traced, made a span: all three outlive the server.
[[nodiscard]] net::ServerOptions server_options(const Config& config, ports::Log& log,
                                                telemetry::RequestMetrics& metrics, telemetry::Tracer& tracer);
/// The way of spans to their collector; null where there is none.
[[nodiscard]] std::unique_ptr<telemetry::SpanExporter> span_exporter(const Config& config, ports::Random& random,
                                                                     ports::Log& log);

/// The folder of the demo page; empty: there is none.
[[nodiscard]] std::string demo_folder(const Config& config);

[[nodiscard]] LogPrunerOptions log_pruner_options(const Config& config);

/// Whom webhooks may go to.
[[nodiscard]] outbound::TargetRules webhook_targets(const Config& config);
[[nodiscard]] outbound::CurlTransportOptions webhook_transport_options(const Config& config);
[[nodiscard]] webhooks::DispatcherOptions dispatcher_options(const Config& config);
[[nodiscard]] webhooks::UpkeepOptions upkeep_options(const Config& config);

/// Of backups in S3.
[[nodiscard]] ops::S3Options s3_options(const Config& config);

}  // namespace fluxora::app
