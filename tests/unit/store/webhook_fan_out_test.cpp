#include "webhook_fan_out.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::store {
namespace {

using Endpoints = std::vector<std::uint64_t>;

constexpr std::uint32_t bit(core::EventName event) {
  return std::uint32_t{1} << static_cast<unsigned>(event);
}

core::LogEntry entry_of_the_sample() {
  core::LogEntry entry;
  entry.seq = 41;
  entry.event = core::EventName::stream_updated;
  entry.stream = core::sample_stream();
  entry.stream_id = entry.stream->id;
  return entry;
}

EndpointFilter of_stream(std::string_view id) {
  EndpointFilter filter;
  filter.stream_id = id;
  return filter;
}
EndpointFilter of_sender(std::string_view account) {
  EndpointFilter filter;
  filter.sender = account;
  return filter;
}
EndpointFilter of_recipient(std::string_view account) {
  EndpointFilter filter;
  filter.recipient = account;
  return filter;
}

/// Who of these, numbered from 1 on, hears of the entry.
Endpoints told(const std::vector<EndpointFilter>& filters, const core::LogEntry& entry) {
  EndpointIndex index;
  for (std::size_t i = 0; i < filters.size(); ++i) index.add(i + 1, filters[i]);
  Endpoints endpoints;
  index.find(entry, endpoints);
  std::sort(endpoints.begin(), endpoints.end());
  return endpoints;
}

TEST(WebhookFanOut, OpensLanesOfSomeEndpointsAfterTheOther) {
  using Parts = std::vector<Endpoints>;
  EXPECT_EQ(parts_of({}, 10), Parts{});
  EXPECT_EQ(parts_of({{1, 3}, {2, 7}, {5, 1}, {6, 30}, {7, 1}, {9, 9}}, 10), (Parts{{1, 2}, {5}, {6}, {7, 9}}));
}

TEST(EndpointIndex, FindsThoseThatTheEntryFits) {
  const core::LogEntry entry = entry_of_the_sample();
  EXPECT_EQ(
      told({EndpointFilter(), of_stream(entry.stream_id), of_stream("another"), of_sender(core::sample_sender),
            of_sender(core::sample_recipient), of_recipient(core::sample_recipient), of_recipient(core::sample_sender)},
           entry),
      (Endpoints{1, 2, 4, 6}));
}

TEST(EndpointIndex, AllThatAFilterAsksForHasToFit) {
  const core::LogEntry entry = entry_of_the_sample();
  EndpointFilter all = of_stream(entry.stream_id);
  all.sender = core::sample_sender;
  all.recipient = core::sample_recipient;
  all.events = bit(core::EventName::stream_updated) | bit(core::EventName::stream_ended);
  EXPECT_EQ(told({all}, entry), Endpoints{1});
  std::vector<EndpointFilter> others(5, all);
  others[0].stream_id = "another";
  others[1].sender = core::sample_delegate;
  others[2].recipient = core::sample_delegate;
  others[3].events = bit(core::EventName::stream_ended);
  others[4].events = 0;
  EXPECT_EQ(told(others, entry), Endpoints{});
  // The same without a stream, and with a recipient alone: found another way.
  for (EndpointFilter& filter : others) filter.stream_id.clear();
  EXPECT_EQ(told(others, entry), Endpoints{1});
  others[2].sender.clear();
  EXPECT_EQ(told(others, entry), Endpoints{1});
}

TEST(EndpointIndex, FormerPartiesAreToldToo) {
  core::LogEntry entry = entry_of_the_sample();
  const std::vector<EndpointFilter> filters = {of_recipient(core::sample_recipient),
                                               of_recipient(core::sample_delegate), of_sender(core::sample_sender),
                                               of_sender(core::sample_delegate)};
  entry.change = R"({"recipient":[")" + std::string(core::sample_delegate) + R"(",")" +
                 std::string(core::sample_recipient) + "\"]}";
  EXPECT_EQ(told(filters, entry), (Endpoints{1, 2, 3}));
  entry.change =
      R"({"sender":[")" + std::string(core::sample_delegate) + R"(",")" + std::string(core::sample_sender) + "\"]}";
  EXPECT_EQ(told(filters, entry), (Endpoints{1, 3, 4}));
  // From somebody to himself: once.
  entry.change =
      R"({"sender":[")" + std::string(core::sample_sender) + R"(",")" + std::string(core::sample_sender) + "\"]}";
  EXPECT_EQ(told(filters, entry), (Endpoints{1, 3}));
}

TEST(EndpointIndex, AnEntryOfNoStreamIsForThoseWhoAskForNone) {
  core::LogEntry entry;
  entry.event = core::EventName::protocol_event;
  EndpointFilter protocol;
  protocol.events = bit(core::EventName::protocol_event);
  EXPECT_EQ(told({EndpointFilter(), protocol, of_stream("a"), of_sender(core::sample_sender),
                  of_recipient(core::sample_recipient)},
                 entry),
            (Endpoints{1, 2}));
}

TEST(EndpointIndex, TheSameFilterManyTimes) {
  const core::LogEntry entry = entry_of_the_sample();
  const std::vector<EndpointFilter> filters(1'000, of_stream(entry.stream_id));
  const Endpoints endpoints = told(filters, entry);
  ASSERT_EQ(endpoints.size(), filters.size());
  EXPECT_EQ(std::adjacent_find(endpoints.begin(), endpoints.end()), endpoints.end()) << "each once";
}

TEST(EndpointIndex, WithoutEndpoints) {
  EXPECT_TRUE(EndpointIndex().empty());
  EXPECT_EQ(told({}, entry_of_the_sample()), Endpoints{});
}

}  // namespace
}  // namespace fluxora::store
