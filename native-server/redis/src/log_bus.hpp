#pragma once

#include <string>

#include "log_inbox.hpp"
#include "log_news.hpp"

namespace fluxora::redis {

/// The way between the instances that follow one log, one of which publishes it. For the thread that follows the log;
/// no call waits.
class LogBus {
 public:
  virtual ~LogBus() = default;
  /// Which log it is about from here on.
  virtual void follow(const std::string& epoch) = 0;
  /// Whether this instance is the one that publishes. Two may think so for a moment, which costs nothing but messages.
  [[nodiscard]] virtual bool publishes() const = 0;
  /// This instance reads the log from the database. It stays the one that publishes, or becomes it where `wanted` and
  /// nobody else is. Whoever can't read the database doesn't call this, and loses the office.
  virtual void stand(bool wanted) = 0;
  virtual void publish(std::string epoch, std::uint64_t last_seq, std::vector<core::LogEntry> entries) = 0;
  [[nodiscard]] virtual LogInbox& inbox() = 0;
  /// A message that passed for news can't be: the database says otherwise.
  virtual void contradict() = 0;
};

}  // namespace fluxora::redis
