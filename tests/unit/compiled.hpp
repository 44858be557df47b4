// SPDX-License-Identifier: Apache-2.0
// What a feature's compile functions have emitted, for their tests.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "davit/features/compilation.hpp"

namespace davit::test {

/// A compilation with the facts of a plain host.
struct Compiled {
  host::Facts facts;
  features::Compilation out{facts, features::Call{"web", "/bundle"}};
  program::Program program;

  /// Lays the program out; afterwards find() and text() can be asked.
  void finish() { program = out.builder.finish(); }
  [[nodiscard]] program::Header header() const {
    program::Header head;
    std::memcpy(&head, program.image.data(), sizeof head);
    return head;
  }
  /// The first record of a kind.
  template <typename T>
  [[nodiscard]] std::optional<T> find(std::size_t skip = 0) const {
    const program::Header head = header();
    for (std::size_t at = head.records; at < head.records_end;) {
      program::Operation operation;
      std::memcpy(&operation, program.image.data() + at, sizeof operation);
      if (operation.op == T::kOp && skip-- == 0) {
        T record;
        std::memcpy(&record, program.image.data() + at, sizeof record);
        return record;
      }
      at += operation.size;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string text(program::Str str) const {
    return {reinterpret_cast<const char*>(program.image.data()) + header().data + str.offset, str.length};
  }
  template <typename T>
  [[nodiscard]] std::vector<T> items(program::List<T> list) const {
    std::vector<T> result(list.count);
    if (list.count != 0)
      std::memcpy(result.data(), program.image.data() + header().data + list.offset, list.count * sizeof(T));
    return result;
  }
};

}  // namespace davit::test
