#pragma once

#include <cstdlib>
#include <utility>
#include <variant>

#include "fluxora/core/error.hpp"

namespace fluxora::core {

/// A value or an Error. Core never throws: what can fail returns one of these.
/// (std::expected is C++23 and absent from the WebAssembly toolchain's library.)
/// Asking a Result for the side it doesn't hold ends the process: that is a bug, never bad input.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}       // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, error) {}              // NOLINT(google-explicit-constructor)
  Result(ErrorCode code) : state_(std::in_place_index<1>, Error{code, 0}) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  [[nodiscard]] T& operator*() & { return *value_or_abort(); }
  [[nodiscard]] const T& operator*() const& { return *const_cast<Result*>(this)->value_or_abort(); }
  [[nodiscard]] T&& operator*() && { return std::move(*value_or_abort()); }
  [[nodiscard]] T* operator->() { return value_or_abort(); }
  [[nodiscard]] const T* operator->() const { return const_cast<Result*>(this)->value_or_abort(); }

  [[nodiscard]] const Error& error() const {
    const auto* error = std::get_if<1>(&state_);
    if (error == nullptr) std::abort();
    return *error;
  }

 private:
  T* value_or_abort() {
    auto* value = std::get_if<0>(&state_);
    if (value == nullptr) std::abort();
    return value;
  }

  std::variant<T, Error> state_;
};

}  // namespace fluxora::core
