#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <stdexcept>

#include <tl/expected.hpp>

namespace fluxora::ports {

/// Why the store has no answer. What a caller asked for and isn't there is a value, not one of these.
enum class StoreFailure : std::uint8_t {
  busy,         ///< the bounded queue is full, or the answer took too long: try again soon
  unavailable,  ///< the database can't be reached
  internal,     ///< it answered with an error; the log has it
};

template <class T>
using StoreResult = tl::expected<T, StoreFailure>;

/// As the least log position that a read has to see: everything there is. Only the primary will do.
inline constexpr std::uint64_t newest = std::numeric_limits<std::uint64_t>::max();

/// Receives an answer, once, on a thread of the store's.
template <class T>
using Reply = std::function<void(StoreResult<T>)>;

/// The blocking ports report the same by exception.
class StoreUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace fluxora::ports
