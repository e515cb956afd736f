#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/result.hpp"

namespace fluxora::core {

/// Smart-contract values (Stellar-contract.x, SCVal), every arm up to protocol 27. The arm that protocol 28
/// adds (22, SCV_EXECUTABLE_TAG) is refused as an unknown discriminant, as decoders of today's network do.
enum class ScValType : std::uint32_t {
  boolean = 0,
  void_ = 1,
  error = 2,
  u32 = 3,
  i32 = 4,
  u64 = 5,
  i64 = 6,
  timepoint = 7,
  duration = 8,
  u128 = 9,
  i128 = 10,
  u256 = 11,
  i256 = 12,
  bytes = 13,
  string = 14,
  symbol = 15,
  vec = 16,
  map = 17,
  address = 18,
  contract_instance = 19,
  ledger_key_contract_instance = 20,
  ledger_key_nonce = 21,
};

/// Deepest nesting (of vecs, maps and instances in one another) and largest input that decode_scval accepts.
inline constexpr std::size_t scval_max_depth = 200;
inline constexpr std::size_t scval_max_size = 512 * 1024;

struct ScVal;
struct ScMapEntry;
using ScVec = std::vector<ScVal>;
using ScMap = std::vector<ScMapEntry>;

/// SCError: `type` as on the wire (0 contract, 1 wasm vm, …). For a contract error `code` is the contract's
/// own number; for the others it is an SCErrorCode.
struct ScError {
  std::uint32_t type = 0;
  std::uint32_t code = 0;
};

/// 256-bit integers as on the wire, most significant word first; an i256's first word is signed.
struct Sc256 {
  std::uint64_t words[4] = {0, 0, 0, 0};
};

/// SCAddress as its StrKey (G, C, M, B or L).
struct ScAddress {
  std::string strkey;
};

struct ScContractInstance {
  std::optional<Hash> wasm_hash;  ///< none: the built-in Stellar asset contract
  std::optional<ScMap> storage;
};

/// One value. `data` holds by type: bool · nothing · ScError · u32/i32/u64/i64 · timepoint, duration as u64 ·
/// UInt128 · Int128 · Sc256 · bytes as Bytes · string and symbol as std::string (any bytes) ·
/// vec and map (empty optional: the XDR null pointer) · address · instance · nonce as i64.
struct ScVal {
  using Data = std::variant<std::monostate, bool, ScError, std::uint32_t, std::int32_t, std::uint64_t, std::int64_t,
                            UInt128, Int128, Sc256, Bytes, std::string, std::optional<ScVec>, std::optional<ScMap>,
                            ScAddress, ScContractInstance>;
  ScValType type = ScValType::void_;
  Data data;

  // What a reader of contract payloads asks; none when the value is of another type.
  [[nodiscard]] const std::string* symbol() const noexcept;
  [[nodiscard]] const std::string* address() const noexcept;  ///< StrKey text
  [[nodiscard]] const ScVec* vec() const noexcept;            ///< none also for the null vector
  [[nodiscard]] const ScMap* map() const noexcept;            ///< none also for the null map
  [[nodiscard]] std::optional<std::uint64_t> u64() const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> u32() const noexcept;
  [[nodiscard]] std::optional<Amount> i128() const noexcept;
  /// The value under a symbol key of a map, or none.
  [[nodiscard]] const ScVal* field(std::string_view name) const noexcept;
};

struct ScMapEntry {
  ScVal key;
  ScVal value;
};

/// Decodes one value and nothing after it. Bounded: depth scval_max_depth, size scval_max_size, memory in
/// proportion to the input. Errors: the xdr_ codes.
Result<ScVal> decode_scval(ByteView xdr);

/// The same from base64, as the RPC sends it. Errors: base64_invalid and the xdr_ codes.
Result<ScVal> decode_scval_base64(std::string_view base64);

/// The value's XDR: of a value that decode_scval gave, exactly what that was read from. `data` must be of the type that
/// `type` asks for; whether what it holds is allowed (a symbol's characters, an address, an error's code) says
/// decode_scval of the result. Recursion is as deep as the value.
[[nodiscard]] Bytes encode_scval(const ScVal& value);

}  // namespace fluxora::core
