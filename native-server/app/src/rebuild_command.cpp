#include "rebuild_command.hpp"

#include <exception>
#include <string>

#include <unistd.h>

#include "command_result.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/store/store.hpp"
#include "fold_difference_json.hpp"
#include "json_log.hpp"
#include "options.hpp"
#include "process.hpp"
#include "progress.hpp"
#include "system_clock.hpp"

namespace fluxora::app {
namespace {

std::string message_of(const indexer::RebuildResult& result) {
  if (!result.finished) {
    return "Paused behind entry " + core::format_u64(result.entries) +
           ": run rebuild again, and it goes on from there.";
  }
  if (result.mended_count == 0) return "Every stream was as the log says.";
  return result.mended_count == 1 ? "One stream was mended."
                                  : core::format_u64(result.mended_count) + " streams were mended.";
}

void write_mended(core::JsonWriter& json, const indexer::MendedStream& mended) {
  json.begin_object();
  json.key("stream").string(mended.id);
  json.key("differences").begin_array();
  for (const indexer::FoldDifference& difference : mended.differences) {
    json.begin_object();
    write_difference_members(json, difference);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void print(const indexer::RebuildResult& result) {
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("success").boolean(result.finished);
    json.key("message").string(message_of(result));
    json.key("entries").unsigned_integer(result.entries);
    json.key("resumedFrom").unsigned_integer(result.resumed_from);
    json.key("streams").unsigned_integer(result.streams);
    json.key("mended").begin_array();
    for (const indexer::MendedStream& mended : result.mended) write_mended(json, mended);
    json.end_array();
    json.key("mendedCount").unsigned_integer(result.mended_count);
    json.end_object();
  });
}

}  // namespace

int rebuild(const Config& config, const indexer::RebuildOptions& options) {
  EndSignals signals;
  SystemClock clock;
  JsonLog log(config.log_level, clock, STDERR_FILENO);
  try {
    Progress progress("rebuild", clock, [&signals] { return signals.came(); });
    const indexer::RebuildResult result =
        indexer::rebuild(*store::make_rebuild_store(store_options(config), "command"), progress, options);
    progress.finish();
    print(result);
    return result.finished ? exit_done : exit_paused;
  } catch (const indexer::LogUnfoldable& error) {
    return print_failure(exit_failed, error.what());
  } catch (const indexer::RebuildRunning& error) {
    return print_failure(exit_failed, error.what());
  } catch (const ports::StoreUnavailable& error) {
    log.error("database_unavailable", error.what());
    return print_failure(exit_failed, database_away);
  } catch (const std::exception& error) {
    log.error("rebuild_failed", error.what());
    return print_failure(exit_failed, database_refused);
  }
}

}  // namespace fluxora::app
