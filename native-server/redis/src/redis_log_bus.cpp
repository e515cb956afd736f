#include "redis_log_bus.hpp"

#include "fluxora/core/bytes.hpp"

namespace fluxora::redis {
namespace {

/// Only its holder renews it: somebody else may have taken it meanwhile.
constexpr const char* renew_script =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end";

bool was_set(const Reply& reply) {
  return reply.kind == Reply::Kind::text;
}

bool was_renewed(const Reply& reply) {
  return reply.kind == Reply::Kind::integer && reply.integer == 1;
}

}  // namespace

RedisLogBus::Names RedisLogBus::names(unsigned database, const std::string& epoch) {
  const std::string prefix = "fluxora:" + std::to_string(database) + ":{" + epoch + "}:";
  return {prefix + "log", prefix + "connections", prefix + "publisher", prefix + "rate:"};
}

RedisLogBus::RedisLogBus(unsigned database, InstanceId self, CommandQueue& commands, const ports::Clock& clock,
                         FollowNames on_names)
    : database_(database),
      self_(self),
      token_(core::hex_encode(self)),
      commands_(commands),
      clock_(clock),
      on_names_(std::move(on_names)),
      inbox_(clock) {}

void RedisLogBus::follow(const std::string& epoch) {
  const Names names = RedisLogBus::names(database_, epoch);
  {
    const std::lock_guard lock(mutex_);
    names_ = names;
    held_until_ = 0;
    asked_at_ = 0;
  }
  inbox_.begin(epoch);
  on_names_(names);
}

bool RedisLogBus::publishes() const {
  const std::lock_guard lock(mutex_);
  const core::UnixMillis now = clock_.now();
  return now >= held_from_ && now < held_until_;  // a clock that was set back must not lengthen it
}

void RedisLogBus::stand(bool wanted) {
  const bool held = publishes();
  if (!held && !wanted) return;
  std::string key;
  {
    const std::lock_guard lock(mutex_);
    const core::UnixMillis since = clock_.now() - asked_at_;
    if (since >= 0 && since < renew_every.count()) return;
    asked_at_ = clock_.now();
    key = names_.publisher;
  }
  const std::string duration = std::to_string(lease.count());
  if (held) return ask_for_office({"EVAL", renew_script, "1", key, token_, duration}, key, was_renewed);
  ask_for_office({"SET", key, token_, "NX", "PX", duration}, key, was_set);
}

/// From when it was asked for, not from when the answer came: it never lasts longer here than there.
void RedisLogBus::ask_for_office(Command command, const std::string& key, bool (*is_ours)(const Reply&)) {
  const core::UnixMillis from = clock_.now();
  commands_.submit(std::move(command), [this, key, from, is_ours](const Reply* reply) {
    if (reply == nullptr) return;  // it runs out by itself
    const std::lock_guard lock(mutex_);
    if (names_.publisher != key) return;
    held_from_ = from;
    held_until_ = is_ours(*reply) ? from + lease.count() : 0;
  });
}

void RedisLogBus::publish(std::string epoch, std::uint64_t last_seq, std::vector<core::LogEntry> entries) {
  LogNews news{self_, std::move(epoch), last_seq, std::move(entries)};
  std::string message = news.entries.size() > max_news_entries ? std::string() : encode_news(news);
  if (message.empty() || message.size() > max_news_bytes) {
    news.entries.clear();
    message = encode_news(news);
  }
  std::string channel;
  {
    const std::lock_guard lock(mutex_);
    channel = names_.log;
  }
  const bool taken = commands_.submit({"PUBLISH", std::move(channel), std::move(message)});
  if (!taken) ++dropped_;
  if (taken && !news.entries.empty()) ++published_;
}

void RedisLogBus::contradict() {
  ++refused_;
  inbox_.doubt();
}

void RedisLogBus::take(std::string_view message) {
  auto news = decode_news(message);
  if (news && news->sender == self_) return;
  const bool has_entries = news && !news->entries.empty();
  if (!news || !inbox_.put(*std::move(news))) {
    ++refused_;
    return;
  }
  if (has_entries) ++received_;
}

RedisLogBus::Counts RedisLogBus::counts() const {
  return {published_, dropped_, received_, refused_};
}

}  // namespace fluxora::redis
