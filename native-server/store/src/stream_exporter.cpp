#include "stream_exporter.hpp"

#include <string>
#include <utility>

#include "rows.hpp"
#include "stream_queries.hpp"

namespace fluxora::store {
namespace {

/// Streams a page, and with it what an export holds in memory.
constexpr std::size_t export_page_streams = 100;

/// One snapshot of the streams, behind a cursor.
class ExportSource {
 public:
  using Query = ports::StreamFilter;
  using Start = ports::ReadPoint;
  using Page = ports::ExportPage;
  static constexpr std::string_view name = "export";

  ExportSource(pqxx::connection& connection, const Query& filter, int timeout_ms) : sql_(connection) {
    open_snapshot(sql_, timeout_ms);
    at_ = read_point_from_row(
        sql_.exec("SELECT " + std::string(read_point_columns) + " FROM log_head h CROSS JOIN indexer_checkpoint c")[0],
        0);
    // LIMIT tells the planner that the checkpoint is one row, so that the order comes from the index.
    sql_.exec("DECLARE exported NO SCROLL CURSOR FOR SELECT " + stream_column_list("s.") +
              " FROM streams s CROSS JOIN (SELECT closed_at FROM indexer_checkpoint LIMIT 1) c WHERE " +
              stream_conditions(filter, sql_) + " ORDER BY s.created_seq DESC, s.id DESC");
  }

  [[nodiscard]] const Start& at() const noexcept { return at_; }

  Page next_page() {
    const pqxx::result rows = sql_.exec("FETCH FORWARD " + std::to_string(export_page_streams) + " FROM exported");
    Page page;
    page.streams.reserve(rows.size());
    for (const auto& row : rows) page.streams.push_back(*stream_from_row(row, 0));
    page.last = page.streams.size() < export_page_streams;
    return page;
  }

 private:
  pqxx::work sql_;
  Start at_;
};

}  // namespace

void PostgresStreamExporter::begin(ports::StreamFilter filter,
                                   ports::Reply<std::shared_ptr<ports::StreamExport>> reply) {
  threads_.start(std::make_shared<SourceJob<ExportSource>>(std::move(filter), std::move(reply)));
}

}  // namespace fluxora::store
