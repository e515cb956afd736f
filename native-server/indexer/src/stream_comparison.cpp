#include "stream_comparison.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace fluxora::indexer {
namespace {

constexpr std::size_t page_streams = 10'000;

FoldDifference of_stream(const std::string& id, const std::string& field, std::optional<std::string> held,
                         std::optional<std::string> folded) {
  return {FoldDifference::Of::stream, id, field, std::move(held), std::move(folded)};
}

}  // namespace

std::vector<FoldDifference> compare_stream(const std::string& id, const ports::ScannedStream* held,
                                           const core::Stream* folded, const ports::LogScan& scan) {
  if (held == nullptr && folded == nullptr) return {};
  if (held == nullptr) return {of_stream(id, "id", std::nullopt, id)};
  if (folded == nullptr) return {of_stream(id, "id", id, std::nullopt)};

  std::vector<FoldDifference> differences;
  const ports::StreamColumns columns = scan.columns_of(*folded);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (held->columns[i] != columns[i]) {
      differences.push_back(of_stream(id, scan.stream_columns()[i], held->columns[i], columns[i]));
    }
  }
  return differences;
}

void compare_all_streams(ports::LogScan& scan, const core::LogFold& folded,
                         const std::function<void(const std::string& id, std::vector<FoldDifference>)>& differs) {
  std::unordered_set<std::string_view> seen;
  std::string last;
  for (;;) {
    const std::vector<ports::ScannedStream> page = scan.streams(last, page_streams);
    for (const ports::ScannedStream& row : page) {
      const core::Stream* stream = folded.find(row.id);
      if (stream != nullptr) seen.insert(stream->id);
      std::vector<FoldDifference> differences = compare_stream(row.id, &row, stream, scan);
      if (!differences.empty()) differs(row.id, std::move(differences));
    }
    if (page.size() < page_streams) break;
    last = page.back().id;
  }
  if (seen.size() == folded.streams().size()) return;

  std::vector<std::string> missing;
  for (const auto& [id, stream] : folded.streams()) {
    if (seen.count(id) == 0) missing.push_back(id);
  }
  std::sort(missing.begin(), missing.end());
  for (const std::string& id : missing) differs(id, compare_stream(id, nullptr, folded.find(id), scan));
}

}  // namespace fluxora::indexer
