#include "fluxora/core/xdr.hpp"

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

TEST(XdrReader, ReadsBigEndian) {
  const Bytes input{0x01, 0x02, 0x03, 0x04, 0xff, 0xff, 0xff, 0xfe, 0x80, 0,    0,    0,
                    0,    0,    0,    1,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  XdrReader reader(input);
  EXPECT_EQ(reader.read_u32(), 0x01020304u);
  EXPECT_EQ(reader.read_i32(), -2);
  EXPECT_EQ(reader.read_u64(), 0x8000000000000001u);
  EXPECT_EQ(reader.read_i64(), -1);
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.offset(), input.size());
}

TEST(XdrReader, TheFirstErrorStays) {
  const Bytes input{0, 0, 0, 2, 0, 0, 0, 7};
  XdrReader reader(input);
  EXPECT_FALSE(reader.read_bool());
  EXPECT_EQ(reader.error(), (Error{ErrorCode::xdr_invalid_value, 0}));
  EXPECT_EQ(reader.read_u32(), 0u);
  EXPECT_EQ(reader.read_u64(), 0u);
  EXPECT_FALSE(reader.read_bool());
  EXPECT_TRUE(reader.read_fixed(4).empty());
  EXPECT_TRUE(reader.read_variable(4).empty());
  reader.fail(ErrorCode::xdr_too_deep);
  EXPECT_EQ(reader.error(), (Error{ErrorCode::xdr_invalid_value, 0}));
}

TEST(XdrReader, TruncationNamesItsPlace) {
  const Bytes input{0, 0, 0, 1, 0, 0, 0};
  XdrReader reader(input);
  EXPECT_TRUE(reader.read_bool());
  EXPECT_EQ(reader.read_u32(), 0u);
  EXPECT_EQ(reader.error(), (Error{ErrorCode::xdr_truncated, 4}));
}

TEST(XdrReader, FixedBytesHaveZeroPadding) {
  for (std::size_t size = 0; size <= 9; ++size) {
    const std::size_t padded = (size + 3) / 4 * 4;
    Bytes input(padded, 0);
    for (std::size_t i = 0; i < size; ++i) input[i] = static_cast<std::uint8_t>(i + 1);
    XdrReader reader(input);
    EXPECT_EQ(reader.read_fixed(size).size(), size);
    EXPECT_FALSE(reader.failed()) << size;
    EXPECT_EQ(reader.remaining(), 0u);
    for (std::size_t i = size; i < padded; ++i) {
      Bytes bad = input;
      bad[i] = 1;
      XdrReader strict(bad);
      EXPECT_TRUE(strict.read_fixed(size).empty());
      EXPECT_EQ(strict.error().code, ErrorCode::xdr_nonzero_padding) << size << " " << i;
    }
    if (padded == 0) continue;
    XdrReader cut(ByteView(input).first(padded - 1));
    EXPECT_TRUE(cut.read_fixed(size).empty());
    EXPECT_EQ(cut.error().code, ErrorCode::xdr_truncated) << size;
  }
}

TEST(XdrReader, VariableBytesAreBounded) {
  const Bytes input{0, 0, 0, 3, 'a', 'b', 'c', 0};
  XdrReader fits(input);
  EXPECT_EQ(fits.read_variable(3).size(), 3u);
  EXPECT_FALSE(fits.failed());
  XdrReader tight(input);
  EXPECT_TRUE(tight.read_variable(2).empty());
  EXPECT_EQ(tight.error().code, ErrorCode::xdr_too_long);
  const Bytes claim{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
  XdrReader greedy(claim);
  EXPECT_TRUE(greedy.read_variable(0xffffffff).empty());
  EXPECT_EQ(greedy.error().code, ErrorCode::xdr_truncated);
}

TEST(XdrWriter, WritesWhatTheReaderReads) {
  Bytes output;
  XdrWriter writer(output);
  writer.write_u32(0xdeadbeef);
  writer.write_u64(0x0123456789abcdef);
  writer.write_bool(true);
  writer.write_bool(false);
  writer.write_fixed(Bytes{1, 2, 3, 4, 5});
  writer.write_string("ab");
  writer.write_variable({});
  EXPECT_EQ(hex_encode(output), "deadbeef0123456789abcdef00000001000000000102030405000000000000026162000000000000");
  XdrReader reader(output);
  EXPECT_EQ(reader.read_u32(), 0xdeadbeefu);
  EXPECT_EQ(reader.read_u64(), 0x0123456789abcdefu);
  EXPECT_TRUE(reader.read_bool());
  EXPECT_FALSE(reader.read_bool());
  EXPECT_EQ(hex_encode(reader.read_fixed(5)), "0102030405");
  EXPECT_EQ(hex_encode(reader.read_variable(2)), "6162");
  EXPECT_TRUE(reader.read_variable(0).empty());
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.remaining(), 0u);
}

}  // namespace
}  // namespace fluxora::core
