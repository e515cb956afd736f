#include "keys_command.hpp"

#include <algorithm>
#include <future>
#include <memory>

#include <unistd.h>

#include "command_result.hpp"
#include "fluxora/api/access.hpp"
#include "fluxora/api/admin_keys.hpp"
#include "fluxora/api/api_key_text.hpp"
#include "fluxora/store/store.hpp"
#include "json_log.hpp"
#include "system_clock.hpp"
#include "system_random.hpp"

namespace fluxora::app {
namespace {

constexpr std::size_t page_size = 500;
constexpr std::size_t max_pages = 200;
constexpr core::UnixMillis day_ms = 86'400'000;

/// What a command works with; stdout is the result's alone, so the log is on stderr.
struct Bench {
  explicit Bench(const Config& config) : log(config.log_level, clock, STDERR_FILENO), store(options(config), log) {}

  static store::StoreOptions options(const Config& config) {
    store::StoreOptions options;
    options.database_url = config.database_url;
    options.read_connections = 1;
    return options;
  }

  SystemClock clock;
  JsonLog log;
  store::Store store;
};

template <class T, class Ask>
ports::StoreResult<T> wait_for(Ask ask) {
  auto answer = std::make_shared<std::promise<ports::StoreResult<T>>>();
  ask(ports::Reply<T>([answer](ports::StoreResult<T> result) { answer->set_value(std::move(result)); }));
  return answer->get_future().get();
}

ports::AuditRecord by_command() {
  ports::AuditRecord record;
  record.actor = "command";
  return record;
}

int fail(ports::StoreFailure failure) {
  switch (failure) {
    case ports::StoreFailure::busy: return print_failure(exit_failed, "The database is too busy to answer.");
    case ports::StoreFailure::unavailable: return print_failure(exit_failed, database_away);
    case ports::StoreFailure::internal: break;
  }
  return print_failure(exit_failed, database_refused);
}

}  // namespace

int create_key(const Config& config, const KeyArguments& arguments) {
  if (const std::string_view why = api::key_name_problem(arguments.name); !why.empty()) {
    return print_failure(exit_bad_arguments, "The name " + std::string(why));
  }
  if (!std::all_of(arguments.scopes.begin(), arguments.scopes.end(), api::is_scope)) {
    return print_failure(exit_bad_arguments, "Scopes are streams:write, webhooks:manage, indexer:write and admin.");
  }
  Bench bench(config);
  SystemRandom random;
  api::ApiKeyText made = api::make_api_key(random);
  ports::NewApiKey key{made.id, arguments.name, arguments.scopes, made.secret_hash(), std::nullopt, arguments.replace};
  std::sort(key.scopes.begin(), key.scopes.end());
  key.scopes.erase(std::unique(key.scopes.begin(), key.scopes.end()), key.scopes.end());
  if (arguments.expires_in_days > 0) key.expires_at = bench.clock.now() + arguments.expires_in_days * day_ms;

  const auto created = wait_for<ports::ApiKey>(
      [&](ports::Reply<ports::ApiKey> reply) { bench.store.api_keys().create(key, by_command(), std::move(reply)); });
  if (!created) return fail(created.error());
  made.id = created->id;  // a replaced key keeps its own
  print_result([&](core::JsonWriter& json) { api::write_api_key_json(json, *created, made.text()); });
  return 0;
}

int list_keys(const Config& config, const KeyArguments&) {
  Bench bench(config);
  std::vector<ports::ApiKey> keys;
  for (std::size_t pages = 0; pages < max_pages; ++pages) {
    auto page = wait_for<ports::ApiKeyPage>([&](ports::Reply<ports::ApiKeyPage> reply) {
      bench.store.api_keys().list(keys.empty() ? std::nullopt : std::optional(keys.back().id), page_size,
                                  std::move(reply));
    });
    if (!page) return fail(page.error());
    std::move(page->keys.begin(), page->keys.end(), std::back_inserter(keys));
    if (!page->has_more) break;
  }
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("keys").begin_array();
    for (const ports::ApiKey& key : keys) api::write_api_key_json(json, key);
    json.end_array();
    json.end_object();
  });
  return 0;
}

int revoke_key(const Config& config, const KeyArguments& arguments) {
  if (!api::is_api_key_id(arguments.id)) {
    return print_failure(exit_bad_arguments, "A key's id is the 16 hexadecimal digits after flx_, not the key itself.");
  }
  Bench bench(config);
  const auto known = wait_for<bool>(
      [&](ports::Reply<bool> reply) { bench.store.api_keys().revoke(arguments.id, by_command(), std::move(reply)); });
  if (!known) return fail(known.error());
  if (!*known) return print_failure(exit_failed, "There is no such key.");
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("id").string(arguments.id);
    json.key("revoked").boolean(true);
    json.end_object();
  });
  return 0;
}

}  // namespace fluxora::app
