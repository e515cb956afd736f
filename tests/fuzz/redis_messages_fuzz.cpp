// What comes over the channels that instances share: news of the log and counts of connections. What is taken for news
// has one text, and its entries go without a hole up to where it says.
#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/ports/clock.hpp"
#include "log_news.hpp"
#include "require.hpp"
#include "shared_counts.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

class StandingClock final : public ports::Clock {
 public:
  [[nodiscard]] core::UnixMillis now() const override { return 1'774'000'000'000; }
  bool sleep(std::chrono::milliseconds) override { return true; }
};

void read_news(std::string_view message) {
  const auto news = redis::decode_news(message);
  if (!news) return;
  require(redis::encode_news(*news) == message, "news of two texts");
  std::uint64_t seq = news->last_seq - news->entries.size();
  for (const core::LogEntry& entry : news->entries) require(entry.seq == ++seq, "a hole in news");
  require(seq == news->last_seq, "news that end elsewhere");
}

void read_counts(std::string_view message) {
  const StandingClock clock;
  redis::SharedCounts counts({1}, clock, [](const std::string&) { return true; });
  const bool taken = counts.take(message);
  require(taken || counts.addresses_elsewhere() == 0, "a part of what was refused");
  require(counts.addresses_elsewhere() <= redis::SharedCounts::addresses_a_message, "more than one message holds");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string message(data, data + size);
  read_news(message);
  read_counts(message);
  return 0;
}
