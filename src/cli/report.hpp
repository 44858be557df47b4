// SPDX-License-Identifier: Apache-2.0
// How errors and warnings are said: all of them, each with what to do about it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "davit/base/error.hpp"
#include "davit/cli/log.hpp"
#include "davit/explain/render.hpp"

namespace davit::cli {

/// One line without anything that a terminal would obey: what a hook or a file name brings along.
std::string harmless(std::string_view text);

/// What stands at the places of errors, for people at a terminal: engines hand stderr on as one message.
struct Quotation {
  std::string text{};  ///< of the config; empty: it is not quoted
  explain::Style style{};
};

/// The line of the config that an error is about, pointed at; empty: it is about no place in it.
std::string quote(const Quotation& quotation, const Error& error);

/// Says what went wrong, once: all lines on stderr, one record in the log.
class Reporter {
 public:
  /// `command` and `subject` begin each line; both may be empty.
  Reporter(const Log& log, std::string_view command, std::string_view subject);

  /// `error`, and the rest of `all`, whose first one it is; `all` may be empty. `notices` are said with them:
  /// engines show one record and no more.
  void failure(const Error& error, std::span<const Error> all = {}, std::span<const Error> notices = {},
               const Quotation& quotation = {}) const;
  void warning(const Error& warning) const;
  /// A warning that is said whatever the level of the log.
  void notice(const Error& notice) const;

 private:
  const Log& log_;
  std::string prefix_;
};

}  // namespace davit::cli
