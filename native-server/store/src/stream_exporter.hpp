#pragma once

#include "fluxora/ports/stream_export.hpp"
#include "paged_reads.hpp"

namespace fluxora::store {

class PostgresStreamExporter final : public ports::StreamExporter {
 public:
  explicit PostgresStreamExporter(PagedReadThreads& threads) : threads_(threads) {}
  void begin(ports::StreamFilter filter, ports::Reply<std::shared_ptr<ports::StreamExport>> reply) override;

 private:
  PagedReadThreads& threads_;
};

}  // namespace fluxora::store
