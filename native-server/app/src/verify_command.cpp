#include "verify_command.hpp"

#include <exception>
#include <string>
#include <string_view>

#include <unistd.h>

#include "command_result.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/indexer/verify.hpp"
#include "fluxora/store/store.hpp"
#include "fold_difference_json.hpp"
#include "json_log.hpp"
#include "options.hpp"
#include "process.hpp"
#include "progress.hpp"
#include "system_clock.hpp"

namespace fluxora::app {
namespace {

/// {"entry":17,…}, {"stream":"C…-7",…}, {"ledger":51000294,…}, {"checkpoint":true,…} or {"pruned":true,…}.
void write_difference(core::JsonWriter& json, const indexer::FoldDifference& difference) {
  using Of = indexer::FoldDifference::Of;
  json.begin_object();
  switch (difference.of) {
    case Of::entry: json.key("entry").raw(difference.name); break;
    case Of::stream: json.key("stream").string(difference.name); break;
    case Of::ledger: json.key("ledger").raw(difference.name); break;
    case Of::checkpoint: json.key("checkpoint").boolean(true); break;
    case Of::pruned: json.key("pruned").boolean(true); break;
  }
  write_difference_members(json, difference);
  json.end_object();
}

std::string message_of(const indexer::VerifyResult& result) {
  const std::uint64_t count = result.differences.count();
  if (!result.finished) return "Ended before all was read. Nothing is kept of it: run it again for a result.";
  if (count == 0 && result.from_seq > 1) {
    return "All is as the log says, from entry " + core::format_u64(result.from_seq) +
           " on: what was before it was pruned.";
  }
  if (count == 0) return "All is as the log says.";
  return (count == 1 ? std::string("One thing isn't") : core::format_u64(count) + " things aren't") +
         " as the log says, when it is folded again.";
}

void print(const indexer::VerifyResult& result) {
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("success").boolean(result.finished && result.differences.count() == 0);
    json.key("message").string(message_of(result));
    json.key("fromEntry").unsigned_integer(result.from_seq);
    json.key("prunedLedger");
    result.pruned_ledger == 0 ? json.null() : json.unsigned_integer(result.pruned_ledger);
    json.key("entries").unsigned_integer(result.entries);
    json.key("streams").unsigned_integer(result.streams);
    json.key("ledgers").unsigned_integer(result.ledgers);
    json.key("digest").string(core::hex_encode(result.digest));
    json.key("differences").begin_array();
    for (const indexer::FoldDifference& difference : result.differences.kept()) write_difference(json, difference);
    json.end_array();
    json.key("differenceCount").unsigned_integer(result.differences.count());
    json.end_object();
  });
}

}  // namespace

int verify(const Config& config) {
  EndSignals signals;
  SystemClock clock;
  JsonLog log(config.log_level, clock, STDERR_FILENO);
  try {
    Progress progress("verify", clock, [&signals] { return signals.came(); });
    const indexer::VerifyResult result = indexer::verify(*store::make_log_snapshot(store_options(config)), progress);
    progress.finish();
    print(result);
    if (!result.finished) return exit_paused;
    return result.differences.count() == 0 ? exit_done : exit_failed;
  } catch (const indexer::LogUnfoldable& error) {
    return print_failure(exit_failed, error.what());
  } catch (const ports::StoreUnavailable& error) {
    log.error("database_unavailable", error.what());
    return print_failure(exit_failed, database_away);
  } catch (const std::exception& error) {
    log.error("verify_failed", error.what());
    return print_failure(exit_failed, database_refused);
  }
}

}  // namespace fluxora::app
