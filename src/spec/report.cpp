// SPDX-License-Identifier: Apache-2.0
#include "spec/report.hpp"

#include <algorithm>

#include "davit/spec/reader.hpp"

namespace davit::spec {
namespace {
constexpr std::size_t kMaximumReports = 50;  // a hostile file must not fill the memory with complaints
}

void Report::add(std::vector<Error>& list, const Position& position, std::string_view below,
                 std::string_view message, std::string_view advice) {
  if (list.size() >= kMaximumReports) return;
  Error error = make_error(Code::invalid_config, message);
  error.where = locate(position, below);
  if (!advice.empty()) error.advise(advice);
  list.push_back(error);
}

void Report::error(json::Value value, std::string_view message, std::string_view advice) {
  add(errors, position_of(value), {}, message, advice);
}

void Report::error(const Position& position, std::string_view below, std::string_view message,
                   std::string_view advice) {
  add(errors, position, below, message, advice);
}

void Report::warning(json::Value value, std::string_view message, std::string_view advice) {
  add(warnings, position_of(value), {}, message, advice);
}

void Report::warning(const Position& position, std::string_view below, std::string_view message,
                     std::string_view advice) {
  add(warnings, position, below, message, advice);
}

void Report::notice(json::Value value, std::string_view message, std::string_view advice) {
  warning(value, message, advice);
  add(notices, position_of(value), {}, message, advice);
}

void Report::sort() {
  const auto earlier = [](const Error& left, const Error& right) {
    return left.where.line != right.where.line ? left.where.line < right.where.line
                                               : left.where.column < right.where.column;
  };
  std::stable_sort(errors.begin(), errors.end(), earlier);
  std::stable_sort(warnings.begin(), warnings.end(), earlier);
  std::stable_sort(notices.begin(), notices.end(), earlier);
}

Error first_of(const std::vector<Error>& errors) {
  Error error = errors.front();
  if (errors.size() > 1) {
    const std::size_t others = errors.size() - 1;
    error.message.append(
        text(" (and ", std::to_string(others), others == 1 ? " more error)" : " more errors)"));
  }
  return error;
}

}  // namespace davit::spec
