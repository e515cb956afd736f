#include "fluxora/core/scval.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {
namespace {

/// XDR from a few words and strings, as Stellar-contract.x has it.
class Xdr {
 public:
  Xdr& u32(std::uint32_t value) { return XdrWriter(bytes_).write_u32(value), *this; }
  Xdr& u64(std::uint64_t value) { return XdrWriter(bytes_).write_u64(value), *this; }
  Xdr& type(ScValType value) { return u32(static_cast<std::uint32_t>(value)); }
  Xdr& text(std::string_view value) { return XdrWriter(bytes_).write_string(value), *this; }
  Xdr& fill(std::size_t size, std::uint8_t byte) { return bytes_.insert(bytes_.end(), size, byte), *this; }
  Xdr& symbol(std::string_view value) { return type(ScValType::symbol).text(value); }
  /// The head of a vec or map: its type, "not null" and its length.
  Xdr& container(ScValType value, std::uint32_t count) { return type(value).u32(1).u32(count); }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

ErrorCode error_of(const Bytes& bytes) {
  const Result<ScVal> result = decode_scval(bytes);
  EXPECT_FALSE(result);
  return result ? ErrorCode::decimal_invalid_type : result.error().code;
}

ScVal value_of(const Bytes& bytes) {
  Result<ScVal> result = decode_scval(bytes);
  EXPECT_TRUE(result) << error_name(result.error().code);
  return result ? *std::move(result) : ScVal{};
}

/// `depth` vecs in one another, the innermost holding a u32.
Bytes nested_vecs(std::size_t depth) {
  Xdr xdr;
  for (std::size_t i = 0; i < depth; ++i) xdr.container(ScValType::vec, 1);
  return xdr.type(ScValType::u32).u32(7).bytes();
}

/// One of everything that has parts.
Bytes complex_value() {
  Xdr xdr;
  xdr.container(ScValType::map, 5);
  xdr.symbol("list").container(ScValType::vec, 4);
  xdr.type(ScValType::void_).type(ScValType::boolean).u32(1).type(ScValType::i128).u64(~std::uint64_t{0}).u64(5);
  xdr.type(ScValType::bytes).text("abc");
  xdr.symbol("who").type(ScValType::address).u32(2).u64(77).fill(32, 0x11);
  xdr.type(ScValType::u64).u64(1).type(ScValType::error).u32(1).u32(9);
  xdr.type(ScValType::string).text("x").type(ScValType::contract_instance).u32(0).fill(32, 0x22).u32(1).u32(1);
  xdr.symbol("k").type(ScValType::u256).u64(1).u64(2).u64(3).u64(4);
  xdr.type(ScValType::ledger_key_contract_instance).type(ScValType::ledger_key_nonce).u64(3);
  return xdr.bytes();
}

TEST(ScVal, ReadsEveryScalar) {
  EXPECT_EQ(std::get<bool>(value_of(Xdr().type(ScValType::boolean).u32(1).bytes()).data), true);
  EXPECT_EQ(value_of(Xdr().type(ScValType::void_).bytes()).data.index(), 0u);
  EXPECT_EQ(value_of(Xdr().type(ScValType::u32).u32(0xffffffff).bytes()).u32(), 0xffffffffu);
  EXPECT_EQ(std::get<std::int32_t>(value_of(Xdr().type(ScValType::i32).u32(0xffffffff).bytes()).data), -1);
  EXPECT_EQ(value_of(Xdr().type(ScValType::u64).u64(~std::uint64_t{0}).bytes()).u64(), ~std::uint64_t{0});
  EXPECT_EQ(std::get<std::int64_t>(value_of(Xdr().type(ScValType::i64).u64(~std::uint64_t{0}).bytes()).data), -1);
  EXPECT_EQ(std::get<std::uint64_t>(value_of(Xdr().type(ScValType::timepoint).u64(8).bytes()).data), 8u);
  EXPECT_EQ(std::get<std::uint64_t>(value_of(Xdr().type(ScValType::duration).u64(9).bytes()).data), 9u);
  EXPECT_TRUE(std::get<UInt128>(value_of(Xdr().type(ScValType::u128).u64(1).u64(2).bytes()).data) ==
              (UInt128{1} << 64) + 2);
  EXPECT_EQ(value_of(Xdr().type(ScValType::i128).u64(std::uint64_t{1} << 63).u64(0).bytes()).i128(),
            Amount{int128_min});
  EXPECT_EQ(std::get<Sc256>(value_of(Xdr().type(ScValType::i256).u64(1).u64(2).u64(3).u64(4).bytes()).data).words[2],
            3u);
  const ScError error = std::get<ScError>(value_of(Xdr().type(ScValType::error).u32(0).u32(1234).bytes()).data);
  EXPECT_EQ(error.type, 0u);
  EXPECT_EQ(error.code, 1234u);
  EXPECT_EQ(std::get<std::string>(value_of(Xdr().type(ScValType::string).text("\xff").bytes()).data), "\xff");
}

TEST(ScVal, AccessorsAnswerOnlyForTheirType) {
  const ScVal number = value_of(Xdr().type(ScValType::timepoint).u64(8).bytes());
  EXPECT_FALSE(number.u64());
  EXPECT_FALSE(number.u32());
  EXPECT_FALSE(number.i128());
  EXPECT_EQ(number.symbol(), nullptr);
  EXPECT_EQ(number.address(), nullptr);
  EXPECT_EQ(number.vec(), nullptr);
  EXPECT_EQ(number.map(), nullptr);
  EXPECT_EQ(number.field("a"), nullptr);
  EXPECT_EQ(value_of(Xdr().type(ScValType::string).text("a").bytes()).symbol(), nullptr);
  EXPECT_EQ(value_of(Xdr().type(ScValType::vec).u32(0).bytes()).vec(), nullptr);
  EXPECT_EQ(value_of(Xdr().type(ScValType::map).u32(0).bytes()).map(), nullptr);
  EXPECT_TRUE(value_of(Xdr().container(ScValType::vec, 0).bytes()).vec()->empty());
  EXPECT_TRUE(value_of(Xdr().container(ScValType::map, 0).bytes()).map()->empty());
}

TEST(ScVal, FieldsAreFoundBySymbolOnly) {
  Xdr xdr;
  xdr.container(ScValType::map, 3);
  xdr.type(ScValType::string).text("amount").type(ScValType::u32).u32(1);
  xdr.symbol("amount").type(ScValType::u32).u32(2);
  xdr.symbol("amount").type(ScValType::u32).u32(3);
  const ScVal map = value_of(xdr.bytes());
  ASSERT_NE(map.field("amount"), nullptr);
  EXPECT_EQ(map.field("amount")->u32(), 2u);
  EXPECT_EQ(map.field("amoun"), nullptr);
}

TEST(ScVal, AddressesAreStrKeys) {
  const auto version_of = [](const Bytes& bytes) {
    const ScVal value = value_of(bytes);
    const Result<StrKey> key = decode_strkey(value.address() == nullptr ? "" : *value.address());
    EXPECT_TRUE(key);
    return key ? key->version : StrKeyVersion::seed;
  };
  const auto address = [](std::uint32_t type) { return Xdr().type(ScValType::address).u32(type); };
  EXPECT_EQ(version_of(address(0).u32(0).fill(32, 1).bytes()), StrKeyVersion::account);
  EXPECT_EQ(version_of(address(1).fill(32, 1).bytes()), StrKeyVersion::contract);
  EXPECT_EQ(version_of(address(2).u64(5).fill(32, 1).bytes()), StrKeyVersion::muxed_account);
  EXPECT_EQ(version_of(address(3).u32(0).fill(32, 1).bytes()), StrKeyVersion::claimable_balance);
  EXPECT_EQ(version_of(address(4).fill(32, 1).bytes()), StrKeyVersion::liquidity_pool);
  EXPECT_EQ(error_of(address(5).fill(32, 1).bytes()), ErrorCode::xdr_unknown_discriminant);
  EXPECT_EQ(error_of(address(0).u32(1).fill(32, 1).bytes()), ErrorCode::xdr_unknown_discriminant);
  EXPECT_EQ(error_of(address(3).u32(1).fill(32, 1).bytes()), ErrorCode::xdr_unknown_discriminant);

  // The id stands before the key on the wire and after it in the StrKey.
  const ScVal muxed = value_of(address(2).u64(5).fill(32, 0xab).bytes());
  Bytes payload(32, 0xab);
  XdrWriter(payload).write_u64(5);
  EXPECT_EQ(decode_strkey(*muxed.address())->payload, payload);
}

TEST(ScVal, SymbolsHaveABoundAndAnAlphabet) {
  EXPECT_EQ(*value_of(Xdr().symbol("").bytes()).symbol(), "");
  EXPECT_EQ(*value_of(Xdr().symbol("azAZ09_").bytes()).symbol(), "azAZ09_");
  EXPECT_TRUE(decode_scval(Xdr().symbol(std::string(32, 'a')).bytes()));
  EXPECT_EQ(error_of(Xdr().symbol(std::string(33, 'a')).bytes()), ErrorCode::xdr_too_long);
  for (const char* text : {"a-b", " ", "a.b", "\xc3\xa9", "a\n", "@", "[", "`", "{", "/", ":"}) {
    EXPECT_EQ(error_of(Xdr().symbol(text).bytes()), ErrorCode::xdr_invalid_value) << text;
  }
  EXPECT_EQ(error_of(Xdr().symbol(std::string_view("\0", 1)).bytes()), ErrorCode::xdr_invalid_value);
}

TEST(ScVal, ErrorsHaveKnownTypesAndCodes) {
  for (std::uint32_t type = 1; type < 10; ++type) {
    EXPECT_TRUE(decode_scval(Xdr().type(ScValType::error).u32(type).u32(9).bytes())) << type;
    EXPECT_EQ(error_of(Xdr().type(ScValType::error).u32(type).u32(10).bytes()), ErrorCode::xdr_invalid_value) << type;
  }
  EXPECT_TRUE(decode_scval(Xdr().type(ScValType::error).u32(0).u32(0xffffffff).bytes()));
  EXPECT_EQ(error_of(Xdr().type(ScValType::error).u32(10).u32(0).bytes()), ErrorCode::xdr_unknown_discriminant);
}

TEST(ScVal, ContractInstances) {
  const ScVal built_in = value_of(Xdr().type(ScValType::contract_instance).u32(1).u32(0).bytes());
  EXPECT_FALSE(std::get<ScContractInstance>(built_in.data).wasm_hash);
  EXPECT_FALSE(std::get<ScContractInstance>(built_in.data).storage);
  const ScVal wasm = value_of(Xdr().type(ScValType::contract_instance).u32(0).fill(32, 9).u32(1).u32(0).bytes());
  EXPECT_EQ(std::get<ScContractInstance>(wasm.data).wasm_hash->at(31), 9);
  EXPECT_TRUE(std::get<ScContractInstance>(wasm.data).storage->empty());
  // Protocol 28's reference to another contract's code.
  Xdr reference;
  reference.type(ScValType::contract_instance).u32(2).u32(1).fill(32, 1).text("tag").u32(0);
  EXPECT_EQ(error_of(reference.bytes()), ErrorCode::xdr_unknown_discriminant);
}

TEST(ScVal, RefusesUnknownArmsAtTheirPlace) {
  for (const std::uint32_t type : {22u, 23u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    const Result<ScVal> result = decode_scval(Xdr().container(ScValType::vec, 1).u32(type).u64(0).bytes());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), (Error{ErrorCode::xdr_unknown_discriminant, 12})) << type;
  }
}

TEST(ScVal, BoolsAndPointersAreZeroOrOne) {
  for (const std::uint32_t flag : {2u, 0xffffffffu}) {
    EXPECT_EQ(error_of(Xdr().type(ScValType::boolean).u32(flag).bytes()), ErrorCode::xdr_invalid_value);
    EXPECT_EQ(error_of(Xdr().type(ScValType::vec).u32(flag).u32(0).bytes()), ErrorCode::xdr_invalid_value);
    EXPECT_EQ(error_of(Xdr().type(ScValType::map).u32(flag).u32(0).bytes()), ErrorCode::xdr_invalid_value);
  }
}

TEST(ScVal, EveryStartOfAValueIsTruncated) {
  const Bytes whole = complex_value();
  ASSERT_TRUE(decode_scval(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(error_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
              ErrorCode::xdr_truncated)
        << size;
  }
}

TEST(ScVal, NothingMayFollow) {
  Bytes longer = complex_value();
  longer.push_back(0);
  const Result<ScVal> result = decode_scval(longer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), (Error{ErrorCode::xdr_trailing_bytes, longer.size() - 1}));
}

TEST(ScVal, AnyChangedByteGivesAValueOrACode) {
  const Bytes whole = complex_value();
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {0x01, 0x02, 0x10, 0x80, 0xff}) {
      Bytes changed = whole;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
      const Result<ScVal> result = decode_scval(changed);
      if (result) continue;
      ++refused;
      EXPECT_TRUE(error_name(result.error().code).starts_with("XDR_")) << i;
      EXPECT_LE(result.error().offset, whole.size());
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(ScVal, DepthIsBoundedExactly) {
  EXPECT_TRUE(decode_scval(nested_vecs(scval_max_depth)));
  EXPECT_EQ(error_of(nested_vecs(scval_max_depth + 1)), ErrorCode::xdr_too_deep);
  EXPECT_EQ(error_of(nested_vecs(40'000)), ErrorCode::xdr_too_deep);

  // Maps and instances count like vecs, in keys as in values.
  const auto nested = [](std::size_t depth, const std::function<void(Xdr&)>& open, std::size_t tail) {
    Xdr xdr;
    for (std::size_t i = 0; i < depth; ++i) open(xdr);
    for (std::size_t i = 0; i < tail; ++i) xdr.type(ScValType::void_);
    return xdr.bytes();
  };
  const auto in_value = [](Xdr& xdr) { xdr.container(ScValType::map, 1).type(ScValType::void_); };
  EXPECT_TRUE(decode_scval(nested(scval_max_depth, in_value, 1)));
  EXPECT_EQ(error_of(nested(scval_max_depth + 1, in_value, 1)), ErrorCode::xdr_too_deep);
  const auto in_key = [](Xdr& xdr) { xdr.container(ScValType::map, 1); };
  EXPECT_TRUE(decode_scval(nested(scval_max_depth, in_key, scval_max_depth + 1)));
  EXPECT_EQ(error_of(nested(scval_max_depth + 1, in_key, scval_max_depth + 2)), ErrorCode::xdr_too_deep);
  const auto in_instance = [](Xdr& xdr) {
    xdr.type(ScValType::contract_instance).u32(1).u32(1).u32(1).type(ScValType::void_);
  };
  EXPECT_TRUE(decode_scval(nested(scval_max_depth, in_instance, 1)));
  EXPECT_EQ(error_of(nested(scval_max_depth + 1, in_instance, 1)), ErrorCode::xdr_too_deep);
}

TEST(ScVal, ALengthIsOnlyAClaim) {
  EXPECT_EQ(error_of(Xdr().container(ScValType::vec, 0xffffffff).bytes()), ErrorCode::xdr_truncated);
  EXPECT_EQ(error_of(Xdr().container(ScValType::map, 0xffffffff).fill(64, 0).bytes()), ErrorCode::xdr_truncated);
  EXPECT_EQ(error_of(Xdr().container(ScValType::vec, 0x40000001).u32(1).bytes()), ErrorCode::xdr_truncated);
  EXPECT_EQ(error_of(Xdr().container(ScValType::map, 0x20000001).u64(1).bytes()), ErrorCode::xdr_truncated);
  EXPECT_EQ(error_of(Xdr().type(ScValType::bytes).u32(0xffffffff).bytes()), ErrorCode::xdr_too_long);
  EXPECT_EQ(error_of(Xdr().type(ScValType::string).u32(scval_max_size).bytes()), ErrorCode::xdr_truncated);
  // As many voids as the rest of the input could hold, claimed at every level.
  Xdr xdr;
  for (std::size_t i = 0; i < scval_max_depth; ++i) {
    xdr.container(ScValType::vec, static_cast<std::uint32_t>((scval_max_size - 12 * (i + 1)) / 4));
  }
  Bytes greedy = xdr.bytes();
  while (greedy.size() < scval_max_size) greedy.insert(greedy.end(), {0, 0, 0, 1});
  EXPECT_EQ(error_of(greedy), ErrorCode::xdr_truncated);
}

TEST(ScVal, SizeIsBoundedExactly) {
  const auto voids = [](std::size_t size) {
    Xdr xdr;
    xdr.container(ScValType::vec, static_cast<std::uint32_t>((size - 12) / 4));
    Bytes bytes = xdr.bytes();
    while (bytes.size() < size) bytes.insert(bytes.end(), {0, 0, 0, 1});
    return bytes;
  };
  const Result<ScVal> largest = decode_scval(voids(scval_max_size));
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->vec()->size(), (scval_max_size - 12) / 4);
  EXPECT_TRUE(decode_scval_base64(base64_encode(voids(scval_max_size))));
  EXPECT_EQ(error_of(voids(scval_max_size + 4)), ErrorCode::xdr_too_long);
  EXPECT_EQ(decode_scval_base64(base64_encode(voids(scval_max_size + 4))).error().code, ErrorCode::xdr_too_long);
  EXPECT_EQ(decode_scval_base64(std::string(4'000'000, '!')).error().code, ErrorCode::xdr_too_long);
}

TEST(ScVal, Base64IsStrict) {
  EXPECT_EQ(decode_scval_base64("AAAAAwAAAAc=")->u32(), 7u);
  EXPECT_EQ(decode_scval_base64("AAAAAwAAAAc").error().code, ErrorCode::base64_invalid);
  EXPECT_EQ(decode_scval_base64("AAAAAwAAAAd=").error().code, ErrorCode::base64_invalid);
  EXPECT_EQ(decode_scval_base64("").error().code, ErrorCode::xdr_truncated);
}

}  // namespace
}  // namespace fluxora::core
