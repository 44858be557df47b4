// SPDX-License-Identifier: Apache-2.0
// Builds programs on the host and keeps the source map that ties each operation to its place in config.json.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "davit/program/operations.hpp"

namespace davit::program {

/// Opaque handle of a place in a configuration (0: none); whoever compiled the program can resolve it.
using Origin = std::uint32_t;

/// A finished program.
struct Program {
  std::vector<std::byte> image;  ///< what init maps
  std::vector<Origin> origins;   ///< by operation index
  std::vector<int> inherited;    ///< descriptor numbers init must find open
  std::size_t slots = 0;         ///< so many descriptors it may have open at once, besides a few of its own

  /// Fills a slot with a descriptor of this process (borrowed: it must stay open until spawn).
  void inherit(Slot slot, int descriptor);
  /// Which signals init has to reset (Header::ignored_signals).
  void set_ignored_signals(u64 signals);
};

class Builder {
 public:
  Builder();

  /// A slot that an operation will fill, or Program::inherit() before the program starts.
  Slot reserve();
  /// Copies a string (and a NUL) into the program; of the first strings equal ones are stored once.
  Str text(std::string_view value);
  template <typename T>
  List<T> list(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T>);
    return {store(items.data(), items.size_bytes()), static_cast<u32>(items.size())};
  }
  /// A list of strings with room for a null pointer behind it: the only way to make an argv or an
  /// environment.
  List<Str> texts(std::span<const std::string> values);
  /// Appends one operation; returns its index.
  template <typename T>
  u32 emit(T operation, Origin origin = 0) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0 && std::is_base_of_v<Operation, T>);
    operation.op = T::kOp;
    operation.size = sizeof(T);
    operation.index = static_cast<u32>(origins_.size());
    append(&operation, sizeof operation, origin);
    return operation.index;
  }
  /// The slot of the channel to davit.
  void set_channel(Slot channel) { channel_ = channel; }
  void set_trace(bool trace) { trace_ = trace; }
  /// Lays out header, slots, records and data. The builder is empty afterwards.
  Program finish();

 private:
  u32 store(const void* bytes, std::size_t size);
  void append(const void* record, std::size_t size, Origin origin);

  std::vector<std::byte> records_;
  std::vector<std::byte> data_;
  std::vector<Origin> origins_;
  std::vector<i32> slots_;
  std::vector<std::pair<std::size_t, Str>> interned_;
  Slot channel_ = kNoSlot;
  bool trace_ = false;
};

}  // namespace davit::program
