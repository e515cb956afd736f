#pragma once

#include <memory>
#include <vector>

#include "fluxora/core/stream.hpp"
#include "fluxora/ports/paged_read.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::ports {

struct ExportPage {
  std::vector<core::Stream> streams;
  bool last = false;  ///< nothing follows
};

/// All streams of one snapshot, newest first by (creation position, id) as in lists, behind the snapshot's place in the
/// log.
using StreamExport = PagedRead<ReadPoint, ExportPage>;

/// Reads all streams, without blocking the caller and without taking from the threads that answer other reads.
class StreamExporter {
 public:
  virtual ~StreamExporter() = default;
  /// `busy`: as many exports as may run at once are running, or the database was too slow.
  virtual void begin(StreamFilter filter, Reply<std::shared_ptr<StreamExport>> reply) = 0;
};

}  // namespace fluxora::ports
