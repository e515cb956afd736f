#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "fluxora/core/log_fold.hpp"
#include "fluxora/indexer/fold_differences.hpp"
#include "fluxora/ports/log_scan.hpp"

namespace fluxora::indexer {

/// The columns of a stream's row that aren't what folding gives, in the table's order. One that is missing, or that
/// folding doesn't give, is one difference, of the column `id`.
[[nodiscard]] std::vector<FoldDifference> compare_stream(const std::string& id, const ports::ScannedStream* held,
                                                         const core::Stream* folded, const ports::LogScan& scan);

/// Compares every row there is with every stream that folding gives, and hears of those that differ: (id, how). Rows
/// come in the table's order, missing ones behind them in that of their ids.
void compare_all_streams(ports::LogScan& scan, const core::LogFold& folded,
                         const std::function<void(const std::string& id, std::vector<FoldDifference>)>& differs);

}  // namespace fluxora::indexer
