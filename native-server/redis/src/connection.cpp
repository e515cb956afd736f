#include "connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

namespace fluxora::redis {
namespace {

timeval time_value(std::chrono::milliseconds duration) {
  return {duration.count() / 1'000, duration.count() % 1'000 * 1'000};
}

/// hiredis bounds how deep a reply may nest.
Reply converted(const redisReply& raw) {
  Reply reply;
  switch (raw.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::integer;
      reply.integer = raw.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::text;
      reply.text.assign(raw.str, raw.len);
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Reply::Kind::error;
      reply.text.assign(raw.str, raw.len);
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::list;
      for (std::size_t i = 0; i < raw.elements; ++i) reply.list.push_back(converted(*raw.element[i]));
      break;
    default: break;
  }
  return reply;
}

Reply taken(void* raw) {
  const std::unique_ptr<void, decltype(&freeReplyObject)> owned(raw, &freeReplyObject);
  return converted(*static_cast<const redisReply*>(raw));
}

}  // namespace

std::string refusal_text(std::string_view command, const Reply& error) {
  const std::string_view code = std::string_view(error.text).substr(0, error.text.find(' '));
  const bool is_code = std::all_of(code.begin(), code.end(), [](char one) { return one >= 'A' && one <= 'Z'; });
  std::string text(command);
  text += " was refused";
  if (is_code && !code.empty()) text.append(": ").append(code);
  return text;
}

WakeUp::WakeUp() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

WakeUp::~WakeUp() {
  close(descriptor_);
}

void WakeUp::wake() {
  // Fails only where the counter is full, and then it is readable already.
  static_cast<void>(eventfd_write(descriptor_, 1));
}

void WakeUp::reset() {
  eventfd_t count = 0;
  static_cast<void>(eventfd_read(descriptor_, &count));
}

void Connection::Free::operator()(redisContext* context) const noexcept {
  redisFree(context);
}

Connection::Connection(const RedisAddress& address)
    : context_(redisConnectWithTimeout(address.host.c_str(), address.port, time_value(patience))) {
  if (!context_) throw RedisError("no memory for a connection to Redis");
  if (context_->err != 0) fail();
  if (redisSetTimeout(context_.get(), time_value(patience)) != REDIS_OK) fail();
  if (redisEnableKeepAlive(context_.get()) != REDIS_OK) fail();
  introduce(address);
}

Connection::~Connection() = default;

void Connection::introduce(const RedisAddress& address) {
  std::vector<Command> commands;
  if (!address.password.empty()) {
    Command auth = {"AUTH"};
    if (!address.user.empty()) auth.push_back(address.user);
    auth.push_back(address.password);
    commands.push_back(std::move(auth));
  }
  commands.push_back({"PING"});
  if (address.database != 0) commands.push_back({"SELECT", std::to_string(address.database)});
  const std::vector<Reply> replies = run(commands);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].kind == Reply::Kind::error) throw RedisError(refusal_text(commands[i].front(), replies[i]));
  }
}

void Connection::append(const Command& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string& word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(), sizes.data()) != REDIS_OK) {
    fail();
  }
}

Reply Connection::answer() {
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK) fail();
  return taken(raw);
}

std::vector<Reply> Connection::run(const std::vector<Command>& commands) {
  for (const Command& command : commands) append(command);
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  while (replies.size() < commands.size()) replies.push_back(answer());
  return replies;
}

void Connection::send(const Command& command) {
  append(command);
  for (int done = 0; done == 0;) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) fail();
  }
}

std::optional<Reply> Connection::buffered() {
  void* raw = nullptr;
  if (redisGetReplyFromReader(context_.get(), &raw) != REDIS_OK) fail();
  if (raw == nullptr) return std::nullopt;
  return taken(raw);
}

std::optional<Reply> Connection::receive(std::chrono::milliseconds timeout, WakeUp& wake_up) {
  if (auto reply = buffered()) return reply;
  std::array<pollfd, 2> waited = {{{context_->fd, POLLIN, 0}, {wake_up.descriptor(), POLLIN, 0}}};
  if (poll(waited.data(), waited.size(), static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  if (waited[1].revents != 0) wake_up.reset();
  if (waited[0].revents == 0) return std::nullopt;
  if (redisBufferRead(context_.get()) != REDIS_OK) fail();
  if (context_->reader->len > max_unread_bytes) throw RedisError("Redis sent a message that is too long");
  return buffered();
}

void Connection::fail() const {
  // Of a wait that took too long hiredis says EAGAIN's text, which tells nobody anything.
  const bool timed_out = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
  throw RedisError(timed_out ? "Redis didn't answer in time" : std::string(context_->errstr));
}

}  // namespace fluxora::redis
