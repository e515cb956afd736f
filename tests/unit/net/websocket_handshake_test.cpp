#include "websocket_handshake.hpp"

#include <gtest/gtest.h>

namespace fluxora::net::test {
namespace {

constexpr const char* agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

TEST(AgreeOnDeflate, TakesTheFirstOfferThatCanBeMet) {
  for (const char* offer : {
           "permessage-deflate",
           "permessage-deflate; client_max_window_bits",
           "permessage-deflate ;client_max_window_bits=\"10\"; server_no_context_takeover;client_no_context_takeover",
           "bbf-usp-protocol, x-webkit-deflate-frame; a=1 , permessage-deflate",
           "permessage-deflate; server_max_window_bits=9, permessage-deflate",
           "permessage-deflate; unknown, permessage-deflate; client_max_window_bits=8",
           ", ,\tpermessage-deflate ,, x-other, ,",
       })
    EXPECT_EQ(agree_on_deflate(offer), agreed) << offer;
  EXPECT_EQ(agree_on_deflate("permessage-deflate; server_max_window_bits=15"),
            std::string(agreed) + "; server_max_window_bits=12");
}

TEST(AgreeOnDeflate, DeclinesOffersThatCannotBeMet) {
  for (const char* offer : {
           "permessage-bzip2",
           "permessage-deflate; server_max_window_bits=11",
           "permessage-deflate; server_max_window_bits",
           "permessage-deflate; server_max_window_bits=16",
           "permessage-deflate; server_max_window_bits=012",
           "permessage-deflate; client_max_window_bits=7",
           "permessage-deflate; client_max_window_bits; client_max_window_bits",
           "permessage-deflate; server_no_context_takeover=1",
           "permessage-deflate; mystery",
       })
    EXPECT_EQ(agree_on_deflate(offer), "") << offer;
}

TEST(AgreeOnDeflate, PassesOverEmptyElements) {
  for (const char* offer : {"", " ", ",", ", ,", "x-other,"}) EXPECT_EQ(agree_on_deflate(offer), "") << offer;
}

TEST(AgreeOnDeflate, RefusesMalformedLists) {
  for (const char* offer : {"permessage-deflate;", ",;", "permessage-deflate; =1", "permessage-deflate; a=", "a; b=\"c",
                            "a; b=\"c d\"", "a; b=\"\"", "a b", "(a)", "a; b=\"c\\", "a; b=c=d"})
    EXPECT_EQ(agree_on_deflate(offer), std::nullopt) << offer;
}

}  // namespace
}  // namespace fluxora::net::test
