#include "address_limit.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::api {
namespace {

class FakeCounts final : public ports::ConnectionCounts {
 public:
  [[nodiscard]] std::size_t elsewhere(const std::string& address) const override {
    const auto found = others.find(address);
    return found == others.end() ? 0 : found->second;
  }
  void changed(const std::string& address, std::size_t here) override { told.emplace_back(address, here); }

  std::map<std::string, std::size_t> others;
  std::vector<std::pair<std::string, std::size_t>> told;
};

TEST(AddressLimit, CountsEachAddressForItself) {
  AddressLimit limit(2);
  auto first = limit.take("a");
  auto second = limit.take("a");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(limit.has_room("a"));
  EXPECT_EQ(limit.take("a"), nullptr);
  EXPECT_TRUE(limit.has_room("b"));
  EXPECT_TRUE(limit.take("b"));
  first.reset();
  EXPECT_TRUE(limit.has_room("a"));
  first = limit.take("a");
  EXPECT_TRUE(first);
  EXPECT_FALSE(limit.has_room("a"));
}

TEST(AddressLimit, AnIpv6HostIsItsNetwork) {
  AddressLimit limit(1);
  const auto place = limit.take("2001:db8:1:2::1");
  EXPECT_TRUE(place);
  EXPECT_FALSE(limit.has_room("2001:db8:1:2:ffff::2"));
  EXPECT_TRUE(limit.has_room("2001:db8:1:3::1"));
}

TEST(AddressLimit, PlacesOnOtherInstancesCount) {
  FakeCounts counts;
  AddressLimit limit(3, &counts);
  counts.others["a"] = 2;
  auto place = limit.take("a");
  EXPECT_TRUE(place);
  EXPECT_FALSE(limit.has_room("a"));
  EXPECT_EQ(limit.take("a"), nullptr);
  counts.others["a"] = 1;
  EXPECT_TRUE(limit.has_room("a"));
  counts.others["b"] = 3;
  EXPECT_EQ(limit.take("b"), nullptr);
}

TEST(AddressLimit, OthersAreToldOfEveryChange) {
  FakeCounts counts;
  AddressLimit limit(2, &counts);
  auto first = limit.take("a");
  auto second = limit.take("a");
  EXPECT_EQ(limit.take("a"), nullptr);
  first.reset();
  second.reset();
  using Told = std::vector<std::pair<std::string, std::size_t>>;
  EXPECT_EQ(counts.told, (Told{{"a", 1}, {"a", 2}, {"a", 1}, {"a", 0}}));
}

}  // namespace
}  // namespace fluxora::api
