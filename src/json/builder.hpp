// SPDX-License-Identifier: Apache-2.0
// Turns yajl's events into the nodes of a Document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "davit/json/document.hpp"

namespace davit::json {

class Builder {
 public:
  Builder(Document& document, std::vector<Error>& errors) : document_(document), errors_(errors) {}

  /// Parses document.text_; false after a syntax error, which has been reported.
  bool run();

 private:
  friend struct Events;

  bool refuse_early();
  bool refuse_lone_surrogates();
  bool refuse(std::size_t offset, std::string_view message, std::string_view advice = {});
  bool refuse_syntax(std::string_view cause, std::size_t consumed);

  bool add(Kind kind, std::string_view content, std::size_t consumed);
  void set_boolean(bool value);
  bool open(Kind kind, std::size_t consumed);
  bool close(std::size_t consumed);
  void report_duplicates(std::uint32_t object);
  void report_duplicate(std::uint32_t first, std::uint32_t second);
  [[nodiscard]] std::size_t token_start() const;

  Document& document_;
  std::vector<Error>& errors_;
  std::vector<std::uint32_t> stack_;
  std::vector<std::uint32_t> keys_;  ///< scratch of report_duplicates
  std::size_t previous_end_ = 0;     ///< where the token before this one ended
};

/// More errors of one kind than this tell nobody anything.
inline constexpr std::size_t kMaximumErrors = 50;

}  // namespace davit::json
