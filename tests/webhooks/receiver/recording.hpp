#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/net/http_message.hpp"

namespace fluxora::webhook_receiver {

/// What became of a request.
struct Record {
  core::UnixMillis at = 0;
  std::string_view verdict;  ///< core::webhook_verdict_name()
  bool handled = false;      ///< kept by the receiver, whatever it answers
  bool duplicate = false;    ///< of one that was handled before, as far as this process remembers
  unsigned status = 0;       ///< of the answer; 0: none is given
};

/// Writes a line of JSON for each request: {"at","path","id","timestamp","event","cursor","streamId","bodySha256",
/// "verdict","handled","duplicate","status"}. A line is in the file before the request is answered, so that the death
/// of this process loses nothing that a sender knows of. From any thread.
class Recording {
 public:
  /// Appends to the file; none where the path is empty. Throws std::system_error.
  explicit Recording(const std::string& path);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void add(const net::Request& request, const Record& record) const;

 private:
  int file_ = -1;
};

}  // namespace fluxora::webhook_receiver
