// SPDX-License-Identifier: Apache-2.0
// What davit says besides its results: to people on stderr, to engines in a log file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::cli {

enum class Level : std::uint8_t { error, warning, info, debug };
enum class LogFormat : std::uint8_t { text, json };

/// One line with its newline: {"level":"error","msg":"...","time":"..."} or time="..." level=error msg="...".
/// What is known of `about` follows as members of its own: pointer, line, column, errno, hint, step.
std::string log_line(LogFormat format, Level level, std::string_view message, std::string_view time,
                     const Error* about = nullptr);

/// Engines read the file as an API: at the default level it gets the one error line and nothing else.
class Log {
 public:
  /// Values of --log, --log-format and --log-level. A file that cannot be opened is an error: whoever names
  /// it reads it.
  static Result<Log> make(const std::string& destination, const std::string& format, const std::string& level,
                          bool debug);

  /// `human` goes to stderr, `message` to the log, with what is known `about` it.
  void error(std::string_view message, std::string_view human, const Error& about) const;
  /// The hint of `about` is said as well.
  void warning(std::string_view message, const Error& about) const { write(Level::warning, message, &about); }
  /// A warning that has to be said even where warnings are not.
  void notice(std::string_view message, const Error& about) const { put(Level::warning, message, &about); }
  [[nodiscard]] bool says_warnings() const { return level_ >= Level::warning; }
  [[nodiscard]] bool is_debug() const { return level_ == Level::debug; }
  void debug(std::string_view message) const { write(Level::debug, message); }

 private:
  void write(Level level, std::string_view message, const Error* about = nullptr) const;
  /// Whatever the level.
  void put(Level level, std::string_view message, const Error* about) const;
  [[nodiscard]] Result<sys::UniqueFd> open_file() const;
  void append(std::string_view line) const;

  Level level_ = Level::error;
  LogFormat format_ = LogFormat::text;
  bool format_given_ = false;
  std::string file_;        ///< empty: none
  std::string identifier_;  ///< of syslog; empty: none
};

}  // namespace davit::cli
