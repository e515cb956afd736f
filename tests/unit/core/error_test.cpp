#include "fluxora/core/error.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

constexpr int code_count = static_cast<int>(last_error_code) + 1;

TEST(Error, NamesAreUpperSnakeCaseAndDistinct) {
  std::set<std::string_view> names;
  for (int i = 0; i < code_count; ++i) {
    const std::string_view name = error_name(static_cast<ErrorCode>(i));
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), std::string_view::npos) << name;
    EXPECT_NE(name, "UNKNOWN_ERROR");
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(code_count));
}

TEST(Error, SpecNamesAreTheSpecs) {
  EXPECT_EQ(error_name(ErrorCode::decimal_invalid_type), "DECIMAL_INVALID_TYPE");
  EXPECT_EQ(error_name(ErrorCode::decimal_invalid_format), "DECIMAL_INVALID_FORMAT");
  EXPECT_EQ(error_name(ErrorCode::decimal_out_of_range), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(error_name(ErrorCode::decimal_empty_value), "DECIMAL_EMPTY_VALUE");
}

TEST(Error, MessagesAreDistinctSentences) {
  std::set<std::string_view> messages;
  for (int i = 0; i < code_count; ++i) {
    const std::string_view message = error_message(static_cast<ErrorCode>(i));
    ASSERT_FALSE(message.empty());
    EXPECT_EQ(message.back(), '.');
    messages.insert(message);
  }
  EXPECT_EQ(messages.size(), static_cast<std::size_t>(code_count));
}

TEST(Error, ANumberThatIsNoCodeStillHasAName) {
  EXPECT_EQ(error_name(static_cast<ErrorCode>(250)), "UNKNOWN_ERROR");
}

}  // namespace
}  // namespace fluxora::core
