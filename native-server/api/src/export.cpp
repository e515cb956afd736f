#include <string>
#include <utility>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "long_read.hpp"
#include "min_version.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

constexpr std::size_t expected_line_bytes = 1'024;

/// The streams of an export as NDJSON: a page of the snapshot makes a piece of the body.
class ExportBody final : public net::BodyStream {
 public:
  ExportBody(std::shared_ptr<ports::StreamExport> streams, ports::ReadPoint at, const ports::Clock& clock)
      : streams_(std::move(streams)), at_(std::move(at)), clock_(clock) {}

  void next(net::GivePiece give) override {
    // Holds nothing of this object: when the client has gone it must go at once, and the snapshot with it.
    streams_->next([at = at_, &clock = clock_, give = std::move(give)](ports::StoreResult<ports::ExportPage> page) {
      if (!page) return give({{}, net::BodyPiece::State::failed});
      std::string lines;
      lines.reserve(page->streams.size() * expected_line_bytes);
      for (const core::Stream& stream : page->streams) {
        core::JsonWriter json(lines);
        write_stream_json(json, stream, as_of(stream, at, clock));
        lines += '\n';
      }
      give({std::move(lines), page->last ? net::BodyPiece::State::last : net::BodyPiece::State::more});
    });
  }

 private:
  std::shared_ptr<ports::StreamExport> streams_;
  ports::ReadPoint at_;
  const ports::Clock& clock_;
};

void export_streams(const ApiContext& context, const std::shared_ptr<const net::Request>& request,
                    net::Respond respond) {
  QueryParameters parameters(*request);
  ports::StreamFilter filter;
  filter.status = parameters.stream_status("status");
  filter.sender = parameters.address("sender");
  filter.recipient = parameters.address("recipient");
  filter.now = static_cast<core::UnixSeconds>(context.clock.now() / 1000);
  check_min_version(*request, parameters);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  const core::UnixSeconds now = filter.now;
  context.exports.begin(std::move(filter), [&context, request, now, respond = std::move(respond)](
                                               ports::StoreResult<std::shared_ptr<ports::StreamExport>> begun) {
    if (!begun) return respond(long_read_problem(begun.error(), *request));
    ports::ReadPoint at = (*begun)->at();
    if (auto refusal = refuse_stale(*request, at.head_seq)) return respond(std::move(*refusal));
    if (!at.indexed_at) at.indexed_at = now;  // one moment for all lines, however long they take

    net::Response response;
    response.content_type = "application/x-ndjson";
    // Browsers save it instead of trying to show it.
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"fluxora-streams.ndjson\"");
    response.headers.emplace_back("Cache-Control", "no-store");
    add_cursor_header(response, at.epoch, at.head_seq);
    response.body = std::make_shared<ExportBody>(std::move(*begun), std::move(at), context.clock);
    respond(std::move(response));
  });
}

}  // namespace

void add_export_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/api/streams/export",
             [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
               export_streams(context, request, std::move(respond));
             });
}

}  // namespace fluxora::api
