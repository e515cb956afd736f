#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace fluxora::net {

/// The most that a piece may hold, and with it what a streamed response keeps in memory. A longer one counts as failed.
inline constexpr std::size_t max_body_piece_bytes = 256 * 1024;

/// What a BodyStream gives when it is asked.
struct BodyPiece {
  enum class State : std::uint8_t {
    more,   ///< ask again once this is written
    last,   ///< the body ends behind this
    failed  ///< the body can't be finished; `bytes` aren't sent, and the client sees that something is missing
  };
  std::string bytes;  ///< may be empty
  State state = State::more;
};

/// Gives the piece that was asked for; once, from any thread. Dropped without a call, it counts as failed.
using GivePiece = std::function<void(BodyPiece)>;

/// A body that is produced piece by piece while it is being sent: chunked for HTTP/1.1, up to the connection's end for
/// HTTP/1.0. It may be long, endless and silent for as long as its producer likes: only a client that doesn't take what
/// was given is cut, after `HttpLimits::write_timeout_ms`. When the server stops it may go on for the grace.
///
/// The connection drops its reference as soon as the response is over, for whatever reason: the last piece written, the
/// client gone, the server stopped, or only the headers asked for (then next() was never called). So the destructor is
/// where a producer learns that it may let go of what it holds; it runs on an I/O thread and must not block.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// Asks for the next piece, once all before it are written: never two at a time. On the connection's I/O thread;
  /// must not block.
  virtual void next(GivePiece give) = 0;
  /// Whether it goes on for as long as its client wants: then a client that closes its side has left, which is no
  /// failure, and how long it took says nothing of how quickly it was answered: RequestEnd::endless tells who counts.
  [[nodiscard]] virtual bool endless() const { return false; }
};

}  // namespace fluxora::net
