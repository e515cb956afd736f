#pragma once

#include "fluxora/telemetry/metrics_page.hpp"

namespace fluxora::telemetry {

/// What Linux says of this process (proc(5)), under the names that Prometheus' client libraries use: process_…. What
/// can't be read is left out. Read at most once a second, whoever asks.
void write_process_metrics(MetricsPage& page);

}  // namespace fluxora::telemetry
