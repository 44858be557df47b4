// SPDX-License-Identifier: Apache-2.0
// The story of one call of davit: line by line in the log, or as a whole once it has ended.
#pragma once

#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/base/story.hpp"
#include "davit/cli/log.hpp"

namespace davit::cli {

/// Trace Event Format, as Perfetto and chrome://tracing read it.
std::string trace_json(const std::vector<story::Event>& events, std::string_view trace_id);
/// A line for each event, with times in milliseconds and bars.
std::string trace_table(const std::vector<story::Event>& events);
/// One event as a line of the log.
std::string debug_line(const story::Event& event);

/// Listens while it lives.
class Teller {
 public:
  /// `destination` is that of --trace: a file, "-" for a table on stderr, or empty. A file that cannot be
  /// written is an error before anything happens.
  static Result<void> check(const std::string& destination);
  Teller(const Log& log, std::string destination);
  Teller(const Teller&) = delete;
  Teller& operator=(const Teller&) = delete;
  ~Teller();
  /// The end of the story.
  Result<void> finish();

 private:
  const Log& log_;
  std::string destination_;
  std::string trace_id_;
  std::vector<story::Event> events_;
};

}  // namespace davit::cli
