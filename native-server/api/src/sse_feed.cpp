#include "sse_feed.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "fluxora/api/api_key_text.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/json_writer.hpp"
#include "stream_answers.hpp"

namespace fluxora::api {
namespace {

// SPEC section 7.
constexpr core::UnixMillis ping_interval_ms = 15'000;

/// Of one piece, and with it about what a connection keeps of a burst: its buffer never shrinks.
constexpr std::size_t max_piece_bytes = 64 * 1024;
static_assert(max_piece_bytes <= net::max_body_piece_bytes);

hub::Frame resume_message(const hub::Subscribed& subscribed) {
  // The id is the cursor, so that an EventSource that has seen no entry yet goes on from here, too.
  auto text = std::make_shared<std::string>("retry: 3000\nid: ");
  text->append(core::format_cursor({subscribed.epoch, subscribed.decision.after_seq}));
  text->append("\nevent: resume\ndata: ");
  core::JsonWriter json(*text);
  json.begin_object();
  write_resume(json, subscribed.epoch, subscribed.decision);
  json.end_object();
  text->append("\n\n");
  return text;
}

hub::Frame end_message(std::string_view code, std::string_view message) {
  auto text = std::make_shared<std::string>("event: end\ndata: ");
  core::JsonWriter json(*text);
  json.begin_object();
  json.key("code").string(code);
  json.key("message").string(message);
  json.end_object();
  text->append("\n\n");
  return text;
}

const hub::Frame& ping_message() {
  static const hub::Frame ping = std::make_shared<const std::string>(": ping\n\n");
  return ping;
}

std::string random_id(ports::Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  return core::hex_encode(bytes);
}

}  // namespace

SseFeed::SseFeed(const ApiContext& context, SseRequest request, std::unique_ptr<AddressLimit::Place> place)
    : context_(context), request_(std::move(request)), place_(std::move(place)), queue_(*context.sse) {}

SseFeed::~SseFeed() {
  if (!feed_) return;
  leave();
  --context_.sse->connections;
  std::string counts;
  core::JsonWriter json(counts);
  json.begin_object();
  json.key("messagesSent").unsigned_integer(queue_.messages_taken());
  json.key("bytesSent").unsigned_integer(queue_.bytes_taken());
  json.end_object();
  context_.log.info("sse_disconnect", "",
                    {{"connectionId", id_},
                     {"durationMs", std::int64_t{context_.clock.now() - opened_at_}},
                     {"reason", end_code_.empty() ? std::string_view("CLIENT_LEFT") : end_code_},
                     {"metrics", ports::LogField::Json{counts}}});
}

void SseFeed::next(net::GivePiece give) {
  give_ = std::move(give);
  if (!feed_) start();
  if (queue_.empty() && end_code_.empty()) feed_->on_drained();
  flush();
}

void SseFeed::start() {
  id_ = random_id(context_.random);
  opened_at_ = context_.clock.now();
  pinged_at_ = opened_at_;
  ++context_.sse->connections;
  context_.log.info("sse_connect", "",
                    {{"connectionId", id_},
                     {"ip", request_.remote_address},
                     {"requestId", without_credentials(request_.request_id)}});
  feed_ = std::make_shared<hub::FeedSession>(context_.hub.shard(request_.io_thread), *this, hub::FeedFormat::sse);
  context_.hub.add(request_.io_thread, *this);
  following_ = true;
  // The session calls back on this thread, and not after it is closed: `this` is there.
  feed_->subscribe(request_.topic, request_.after,
                   [this](const hub::Subscribed& subscribed) { on_subscribed(subscribed); });
}

void SseFeed::on_subscribed(const hub::Subscribed& subscribed) {
  if (subscribed.problem != hub::Subscribed::Problem::none) return give_up();
  queue(resume_message(subscribed));
  resumed_ = true;
  if (early_notice_) queue(std::exchange(early_notice_, nullptr));
}

void SseFeed::on_notice(const hub::Notice& notice) {
  const hub::Frame& message = notice.frame(hub::FeedFormat::sse);
  if (resumed_)
    queue(message);
  else
    early_notice_ = message;
}

void SseFeed::on_tick(core::UnixMillis now) {
  if (context_.shutting_down()) return end("SHUTTING_DOWN", "The service stops: resume by cursor.");
  if (request_.pass.has_ended(now)) return end("TOKEN_EXPIRED", "The token has expired: come back with another.");
  if (now >= pinged_at_ && now - pinged_at_ < ping_interval_ms) return;
  pinged_at_ = now;
  // Where something waits, more of it would say nothing new.
  if (resumed_ && drained()) queue(ping_message());
}

void SseFeed::send(hub::Frame message) {
  // Where the client has taken all there was, what comes is one batch, and it gets the chance to take that, too.
  const bool waits = give_ == nullptr;
  queue(std::move(message));
  if (waits && queue_.over_bound()) too_slow();
}

void SseFeed::too_slow() {
  if (!end_code_.empty()) return;
  ++context_.sse->slow_consumers;
  queue_.drop_waiting();
  end("SLOW_CONSUMER", "What waited for this client was too much: resume by cursor.");
}

void SseFeed::queue(hub::Frame message) {
  if (!end_code_.empty()) return;
  queue_.push(std::move(message));
  // Later, so that all that comes in one go leaves in one piece.
  if (give_ && !std::exchange(flush_posted_, true)) post(&SseFeed::flush);
}

void SseFeed::end(std::string_view code, std::string_view message) {
  if (!end_code_.empty()) return;
  queue(end_message(code, message));
  end_code_ = code;
  // Later: this may have been called by the session, in the middle of its work.
  post(&SseFeed::leave);
}

void SseFeed::leave() {
  if (!std::exchange(following_, false)) return;
  context_.hub.remove(request_.io_thread, *this);
  feed_->close();
}

void SseFeed::flush() {
  flush_posted_ = false;
  const bool ending = !end_code_.empty();
  if (!give_ || (queue_.empty() && !ending)) return;
  std::string piece = queue_.take(max_piece_bytes);
  const bool last = ending && queue_.empty();
  const net::GivePiece give = std::exchange(give_, nullptr);
  give({std::move(piece), last ? net::BodyPiece::State::last : net::BodyPiece::State::more});
}

void SseFeed::post(void (SseFeed::*task)()) {
  context_.hub.shard(request_.io_thread).post([weak = weak_from_this(), task] {
    if (const auto self = weak.lock()) (self.get()->*task)();
  });
}

}  // namespace fluxora::api
