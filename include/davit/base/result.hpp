// SPDX-License-Identifier: Apache-2.0
// Result<T>: either a value or an Error. TRY(expression) hands an Error to the caller.
#pragma once

#include <cstdlib>
#include <new>
#include <utility>

#include "davit/base/error.hpp"

namespace davit {

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : ok_(true) { new (&value_) T(std::move(value)); }  // NOLINT(google-explicit-constructor)
  Result(const Error& error) : ok_(false) {                           // NOLINT(google-explicit-constructor)
    place_error(&error_, error);
  }
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_)
      new (&value_) T(std::move(other.value_));
    else
      place_error(&error_, other.error_);
  }
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result& operator=(Result&&) = delete;
  ~Result() {
    if (ok_) value_.~T();
  }

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  /// The value; aborts when there is none.
  T& value() & { return must_be(true), value_; }
  const T& value() const& { return must_be(true), value_; }
  T&& value() && { return must_be(true), std::move(value_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  /// The error; aborts when there is a value.
  [[nodiscard]] const Error& error() const { return must_be(false), error_; }
  Error& error() { return must_be(false), error_; }
  T value_or(T other) && { return ok_ ? std::move(value_) : std::move(other); }

 private:
  void must_be(bool ok) const {
    if (ok_ != ok) std::abort();
  }
  union {
    T value_;
    Error error_;
  };
  bool ok_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() : ok_(true) {}
  Result(const Error& error) : ok_(false) {  // NOLINT(google-explicit-constructor)
    place_error(&error_, error);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  void value() const {
    if (!ok_) std::abort();
  }
  [[nodiscard]] const Error& error() const {
    if (ok_) std::abort();
    return error_;
  }
  Error& error() {
    if (ok_) std::abort();
    return error_;
  }

 private:
  bool ok_;
  union {
    Error error_;
  };
};
static_assert(sizeof(Result<void>) <= sizeof(Error) + 16);

}  // namespace davit

/// Evaluates to the value of a Result, or returns its Error from the enclosing function.
#define TRY(...) DAVIT_TRY_NAMED(DAVIT_TRY_JOIN(try_result_, __COUNTER__), __VA_ARGS__)
#define DAVIT_TRY_JOIN(left, right) DAVIT_TRY_PASTE(left, right)
#define DAVIT_TRY_PASTE(left, right) left##right
#define DAVIT_TRY_NAMED(name, ...)       \
  __extension__({                        \
    auto&& name = (__VA_ARGS__);         \
    if (!name.ok()) return name.error(); \
    std::move(name).value();             \
  })
