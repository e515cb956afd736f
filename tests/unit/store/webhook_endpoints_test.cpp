#include "webhook_endpoints.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/ports/delivery_id.hpp"

namespace fluxora::store {
namespace {

TEST(UrlOrigin, HasSchemeHostAndPort) {
  EXPECT_EQ(url_origin("https://example.com/hooks/12?token=secret#part"), "https://example.com");
  EXPECT_EQ(url_origin("https://example.com:8443"), "https://example.com:8443");
  EXPECT_EQ(url_origin("http://[2001:db8::1]:80/a"), "http://[2001:db8::1]:80");
  EXPECT_EQ(url_origin("https://example.com?token=secret"), "https://example.com");
  EXPECT_EQ(url_origin("https://example.com#secret"), "https://example.com");
}

TEST(UrlOrigin, NeverHasWhatMayBeSecret) {
  EXPECT_EQ(url_origin("https://user:secret@example.com/a"), "https://example.com");
  EXPECT_EQ(url_origin("https://a@secret@example.com/a@b"), "https://example.com");
  EXPECT_EQ(url_origin("https://example.com\\secret"), "https://example.com");
  EXPECT_EQ(url_origin("secret"), "");
  EXPECT_EQ(url_origin(""), "");
}

TEST(DeliveryId, IsReadBack) {
  const std::vector<ports::DeliveryKey> keys = {
      {1, "3f2a91bc", 1}, {12, "", 7}, {9223372036854775807u, "abcdefghijklmnop", 9223372036854775807u}};
  for (const ports::DeliveryKey& key : keys) {
    EXPECT_EQ(ports::parse_delivery_id(ports::delivery_id(key.endpoint, key.epoch, key.seq)), key);
  }
  EXPECT_EQ(ports::delivery_id(12, "3f2a91bc", 7), "wd_12_3f2a91bc_7");
  EXPECT_EQ(ports::delivery_id(12, "", 7), "wt_12_7");
}

TEST(DeliveryId, HasOneSpelling) {
  for (const char* id : {"",
                         "wd_",
                         "wt_",
                         "wd_1",
                         "wd_1_2",
                         "wt_1",
                         "wt_1_",
                         "wt__1",
                         "wd_1_abc_",
                         "wd__abc_1",
                         "wd_1__1",
                         "wd_01_abc_1",
                         "wd_1_abc_01",
                         "wd_+1_abc_1",
                         "wd_1_abc_-1",
                         "wd_-1_abc_1",
                         "wd_1_ABC_1",
                         "wd_1_abc_1 ",
                         " wd_1_abc_1",
                         "wd_1_abc_1_2",
                         "wt_1_abc_2",
                         "wt_1_2_3",
                         "wx_1_abc_2",
                         "wd_1_a-c_1",
                         "wt_1-1_2",
                         "wd_1_abcdefghijklmnopq_1",
                         "wd_9223372036854775808_abc_1",
                         "wt_1_9223372036854775808",
                         "WD_1_abc_1",
                         "wd_1_abc'_1",
                         "wd_1 _abc_1"}) {
    EXPECT_FALSE(ports::parse_delivery_id(id)) << id;
  }
  EXPECT_FALSE(ports::parse_delivery_id(std::string_view("wt_1_2\0", 7)));
}

}  // namespace
}  // namespace fluxora::store
