// SPDX-License-Identifier: Apache-2.0
// Collects everything that is wrong with a document while it is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/base/error.hpp"
#include "davit/json/document.hpp"
#include "davit/spec/position.hpp"

namespace davit::spec {

class Report {
 public:
  /// An error at a value; the advice may be empty.
  void error(json::Value value, std::string_view message, std::string_view advice = {});
  /// An error at a position, or at a member below it.
  void error(const Position& position, std::string_view below, std::string_view message,
             std::string_view advice = {});
  void warning(json::Value value, std::string_view message, std::string_view advice = {});
  void warning(const Position& position, std::string_view below, std::string_view message,
               std::string_view advice = {});

  /// A warning about what other runtimes read differently.
  void notice(json::Value value, std::string_view message, std::string_view advice);

  /// Puts errors and warnings into the order of the document; call it at the end.
  void sort();

  std::vector<Error> errors;
  std::vector<Error> warnings;
  std::vector<Error> notices;  ///< as in Read
  /// When set, receives the pointer of every key that the reader knows; for the comparison with the schema.
  std::vector<std::string>* known_keys = nullptr;

 private:
  static void add(std::vector<Error>& list, const Position& position, std::string_view below,
                  std::string_view message, std::string_view advice);
};

inline Position position_of(json::Value value) {
  return {&value.document(), value.index()};
}

/// Joins the parts of a message; numbers are given as std::to_string.
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::string result;
  (result.append(parts), ...);
  return result;
}

}  // namespace davit::spec
