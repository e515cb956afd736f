#include "backup_run.hpp"

#include <optional>
#include <stdexcept>

#include "command_result.hpp"
#include "fluxora/core/bytes.hpp"
#include "options.hpp"
#include "process.hpp"
#include "system_clock.hpp"

namespace fluxora::app {
namespace {

constexpr core::UnixMillis line_interval_ms = 1'000;

/// {"success":false,"message":…,"error":…}; gives the code.
int print_problem(int code, std::string_view message, std::string_view error) {
  if (error.empty()) return print_failure(code, message);
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("success").boolean(false);
    json.key("message").string(message);
    json.key("error").string(error);
    json.end_object();
  });
  return code;
}

/// How far it is, a JSON line a second on stderr.
class Shown {
 public:
  explicit Shown(const SystemClock& clock) : clock_(clock) {}

  void operator()(std::string_view step, std::uint64_t bytes) {
    const core::UnixMillis now = clock_.now();
    if (shown_at_ && now - *shown_at_ < line_interval_ms) return;
    shown_at_ = now;
    std::string text;
    core::JsonWriter json(text);
    json.begin_object();
    json.key("step").string(step);
    json.key("bytes").unsigned_integer(bytes);
    json.end_object();
    std::cerr << text << std::endl;
  }

 private:
  const SystemClock& clock_;
  std::optional<core::UnixMillis> shown_at_;
};

void write_facts(core::JsonWriter& json, const ops::ArchiveFacts& facts) {
  json.key("bytes").unsigned_integer(facts.bytes);
  json.key("sha256").string(core::hex_encode(facts.sha256));
}

}  // namespace

int run_backup(const Config& config, const std::string& place, const std::function<int(const BackupRun&)>& work) {
  const auto parsed = ops::parse_place(place);
  if (const auto* problem = std::get_if<std::string>(&parsed)) return print_failure(exit_bad_arguments, *problem);
  BackupRun run{config, std::get<ops::BackupPlace>(parsed), s3_options(config), store_options(config), {}};
  const bool needs_credentials = std::holds_alternative<ops::S3Place>(run.place);
  if (needs_credentials && (config.aws_access_key_id.empty() || config.aws_secret_access_key.empty())) {
    return print_failure(exit_bad_arguments,
                         "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set: the place is one of S3.");
  }
  EndSignals signals;
  const SystemClock clock;
  Shown shown(clock);
  run.attention.stopped = [&signals] { return signals.came(); };
  run.attention.show = [&shown](std::string_view step, std::uint64_t bytes) { shown(step, bytes); };
  try {
    return work(run);
  } catch (const ops::Stopped& stopped) {
    return print_failure(exit_paused, stopped.what());
  } catch (const ops::Failure& failure) {
    return print_problem(exit_failed, failure.what(), failure.detail());
  } catch (const std::invalid_argument& error) {
    return print_failure(exit_bad_arguments, error.what());
  } catch (const ports::StoreUnavailable& error) {
    return print_problem(exit_failed, database_away, error.what());
  } catch (const std::exception& error) {
    return print_problem(exit_failed, "It can't be done, and nothing has changed.", error.what());
  }
}

ops::DatabaseAccess database_access(const BackupRun& run, const store::DatabaseFacts& facts, std::string_view purpose) {
  return {std::string(store::backup_service), store::service_file(run.store, purpose), facts.server_major};
}

std::string facts_json(const ops::ArchiveFacts& facts) {
  std::string text;
  core::JsonWriter json(text);
  json.begin_object();
  write_facts(json, facts);
  json.end_object();
  return text;
}

int print_done(std::string_view message, const ops::ArchiveFacts& facts) {
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("success").boolean(true);
    json.key("message").string(message);
    write_facts(json, facts);
    json.end_object();
  });
  return exit_done;
}

}  // namespace fluxora::app
