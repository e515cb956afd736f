#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "address_limit.hpp"
#include "fluxora/api/api.hpp"
#include "fluxora/hub/feed_session.hpp"
#include "sse_queue.hpp"

namespace fluxora::api {

/// What the client of a feed asks for.
struct SseRequest {
  hub::Topic topic;
  std::optional<core::Cursor> after;
  FeedPass pass;
  std::string request_id;
  std::string remote_address;
  unsigned io_thread = 0;
};

/// One client of /api/events/stream, as the body of its answer. SPEC section 7. From the first next() on everything is
/// on its connection's I/O thread; before that nothing follows the log, since a HEAD request asks for no piece.
class SseFeed final : public net::BodyStream,
                      public hub::Subscriber,
                      public hub::Outlet,
                      public std::enable_shared_from_this<SseFeed> {
 public:
  /// The context and the place's limit outlive it.
  SseFeed(const ApiContext& context, SseRequest request, std::unique_ptr<AddressLimit::Place> place);
  ~SseFeed() override;

  // From the connection.
  void next(net::GivePiece give) override;
  [[nodiscard]] bool endless() const override { return true; }

  // From the hub.
  void on_notice(const hub::Notice& notice) override;
  void on_epoch_changed() override { end("EPOCH_CHANGED", "The log is another one: resume to be told."); }
  void on_tick(core::UnixMillis now) override;

  // From the session, to the connection.
  void send(hub::Frame message) override;
  [[nodiscard]] hub::Backlog backlog() const override { return {queue_.bytes(), queue_.messages()}; }
  [[nodiscard]] bool drained() const override { return queue_.empty() && give_ != nullptr; }
  void give_up() override { end("UNAVAILABLE", "The log can't be read now: resume by cursor."); }
  void too_slow() override;

 private:
  void start();
  void on_subscribed(const hub::Subscribed& subscribed);
  /// Queues it whatever the queue's bound is: for what is short and rare.
  void queue(hub::Frame message);
  /// The last event says why; behind it the stream ends.
  void end(std::string_view code, std::string_view message);
  void leave();
  /// Gives what waits, if a piece was asked for.
  void flush();
  /// Runs it on the I/O thread behind what runs there now, if the feed is still there then.
  void post(void (SseFeed::*task)());

  const ApiContext& context_;
  const SseRequest request_;
  std::unique_ptr<AddressLimit::Place> place_;
  std::string id_;
  core::UnixMillis opened_at_ = 0;
  core::UnixMillis pinged_at_ = 0;
  std::shared_ptr<hub::FeedSession> feed_;  ///< none: not started
  hub::Frame early_notice_;                 ///< that came before it could be told
  bool resumed_ = false;                    ///< the first message was sent
  bool following_ = false;                  ///< the hub knows of it
  bool flush_posted_ = false;
  std::string_view end_code_;  ///< empty: it goes on
  SseQueue queue_;
  net::GivePiece give_;  ///< none: the last piece is still being written
};

}  // namespace fluxora::api
