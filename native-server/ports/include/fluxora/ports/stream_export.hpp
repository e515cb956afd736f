#pragma once

#include <memory>
#include <vector>

#include "fluxora/core/stream.hpp"
#include "fluxora/ports/store_result.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::ports {

struct ExportPage {
  std::vector<core::Stream> streams;
  bool last = false;  ///< nothing follows
};

/// An export under way: all streams of one snapshot, page by page, newest first by (creation position, id) as in lists.
/// It holds one of the few places for exports, and the snapshot, until its last page or until it is dropped. Dropping
/// it never blocks.
class StreamExport {
 public:
  virtual ~StreamExport() = default;
  /// The snapshot's place in the log.
  [[nodiscard]] virtual const ReadPoint& at() const = 0;
  /// One at a time. `busy`: the export has taken longer than it may. After a failure, or the last page, there is no
  /// more.
  virtual void next(Reply<ExportPage> reply) = 0;
};

/// Reads all streams, without blocking the caller and without taking from the threads that answer other reads.
class StreamExporter {
 public:
  virtual ~StreamExporter() = default;
  /// `busy`: as many exports as may run at once are running.
  virtual void begin(StreamFilter filter, Reply<std::shared_ptr<StreamExport>> reply) = 0;
};

}  // namespace fluxora::ports
