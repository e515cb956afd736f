#include "fluxora/hub/recent_entries.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::hub {

void RecentEntries::push(std::shared_ptr<const PublishedBatch> batch) {
  entries_ += batch->entries.size();
  bytes_ += batch->weight;
  batches_.push_back(std::move(batch));
  while (entries_ > bounds_.entries || bytes_ > bounds_.bytes) {
    const PublishedBatch& oldest = *batches_.front();
    begin_ = oldest.last_seq;
    entries_ -= oldest.entries.size();
    bytes_ -= oldest.weight;
    batches_.pop_front();
  }
}

RecentEntries::Batches::const_iterator RecentEntries::first_behind(std::uint64_t seq) const {
  return std::partition_point(batches_.begin(), batches_.end(),
                              [seq](const auto& batch) { return batch->last_seq <= seq; });
}

}  // namespace fluxora::hub
