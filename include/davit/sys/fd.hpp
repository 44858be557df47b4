// SPDX-License-Identifier: Apache-2.0
// Ownership of file descriptors: UniqueFd owns, FdRef borrows; no function takes a bare int.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

namespace davit::sys {

/// A borrowed descriptor; whoever made it keeps it open.
class FdRef {
 public:
  constexpr FdRef() = default;
  /// For the few places where a number comes from outside (stdio, preserved descriptors, AT_FDCWD).
  static constexpr FdRef of(int number) { return FdRef(number); }
  [[nodiscard]] constexpr int number() const { return number_; }
  [[nodiscard]] constexpr bool valid() const { return number_ >= 0; }

 private:
  friend class UniqueFd;
  constexpr explicit FdRef(int number) : number_(number) {}
  int number_ = -1;
};

/// Closes its descriptor when it goes away.
class UniqueFd {
 public:
  UniqueFd() = default;
  /// Takes ownership of `number`.
  static UniqueFd adopt(int number) { return UniqueFd(number); }
  UniqueFd(UniqueFd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  operator FdRef() const { return FdRef(number_); }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] FdRef ref() const { return FdRef(number_); }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  explicit operator bool() const { return valid(); }
  /// Closes now; an error of close(2) is ignored, as nothing is buffered behind our descriptors.
  void reset();
  /// Gives up ownership.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  explicit UniqueFd(int number) : number_(number) {}
  int number_ = -1;
};

/// Closes descriptors that are done with together: those whose numbers follow each other in one call.
class SpentFds {
 public:
  SpentFds() = default;
  SpentFds(const SpentFds&) = delete;
  SpentFds& operator=(const SpentFds&) = delete;
  ~SpentFds() { close(); }
  void add(UniqueFd file);
  void close();

 private:
  std::array<int, 32> numbers_{};  ///< no more than that stay open
  std::size_t count_ = 0;
};

/// The current working directory, for the *at functions.
FdRef current_directory();

}  // namespace davit::sys
