// SPDX-License-Identifier: Apache-2.0
#include "davit/cli/log.hpp"

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdio>

#include "davit/container/time.hpp"
#include "davit/json/writer.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

constexpr std::string_view kLevels[] = {"error", "warning", "info", "debug"};
constexpr int kSyslogLevels[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

// logfmt: quotes and control characters escaped as Go would read them.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  out += '"';
}

/// What engines show nobody, but tools want to know; empty members are left out.
void write_members(json::Writer& out, const Error& about) {
  const Location& where = about.where;
  if (!where.file.empty()) out.key("file").string(where.file);
  if (!where.pointer.empty()) out.key("pointer").string(where.pointer);
  if (where.line != 0) out.key("line").number(where.line).key("column").number(where.column);
  if (about.errno_value != 0) out.key("errno").string(errno_name(about.errno_value));
  if (!about.advice.empty()) out.key("hint").string(about.advice);
  if (!about.step.empty()) out.key("step").string(about.step);
}

void to_stderr(std::string_view text) {
  (void)sys::write_all(sys::FdRef::of(STDERR_FILENO), text);
}

Result<Level> parse_level(const std::string& text) {
  for (std::size_t i = 0; i < std::size(kLevels); ++i)
    if (kLevels[i] == text) return static_cast<Level>(i);
  if (text == "warn") return Level::warning;
  Error error = make_error(Code::invalid_argument, "unknown --log-level \"" + text.substr(0, 40) + "\"");
  return error.advise("it is error, warning, info or debug");
}

}  // namespace

std::string log_line(LogFormat format, Level level, std::string_view message, std::string_view time,
                     const Error* about) {
  const std::string_view name = kLevels[static_cast<std::size_t>(level)];
  if (format == LogFormat::json) {
    json::Writer out(json::Style::compact);
    out.begin_object();
    out.key("level").string(name);
    out.key("msg").string(message);
    out.key("time").string(time);
    if (about != nullptr) write_members(out, *about);
    out.end_object();
    return out.take() + "\n";
  }
  std::string line = "time=";
  append_quoted(line, time);
  line.append(" level=").append(name).append(" msg=");
  append_quoted(line, message);
  return line + "\n";
}

Result<Log> Log::make(const std::string& destination, const std::string& format, const std::string& level,
                      bool debug) {
  Log log;
  if (!format.empty() && format != "text" && format != "json") {
    Error error = make_error(Code::invalid_argument, "unknown --log-format \"" + format.substr(0, 40) + "\"");
    return error.advise("it is text or json");
  }
  log.format_ = format == "json" ? LogFormat::json : LogFormat::text;
  log.format_given_ = !format.empty();
  // Engines parse the file and expect one error in it; at a shell, a warning is what a person wants to read.
  if (destination.empty() && !log.format_given_) log.level_ = Level::warning;
  if (!level.empty()) log.level_ = TRY(parse_level(level));
  if (debug) log.level_ = Level::debug;
  const std::string_view text = destination;
  if (text.starts_with("syslog:") || text.starts_with("journald:"))
    log.identifier_ = text.substr(text.find(':') + 1);  // journald listens where syslog does
  else
    log.file_ = text.starts_with("file:") ? text.substr(5) : text;
  // Not kept open: its number could pass for a descriptor that the caller wants to be preserved.
  if (!log.file_.empty()) TRY(log.open_file());
  return log;
}

void Log::error(std::string_view message, std::string_view human, const Error& about) const {
  const bool silent = file_.empty() && identifier_.empty() && format_given_;
  if (!silent) to_stderr(human);
  write(Level::error, message, &about);
}

void Log::write(Level level, std::string_view message, const Error* about) const {
  if (level <= level_) put(level, message, about);
}

void Log::put(Level level, std::string_view message, const Error* about) const {
  const bool has_hint = level == Level::warning && about != nullptr && !about->advice.empty();
  // Without a file, stderr is the log. The error has been said there in words, unless a format was asked for.
  if (file_.empty() && identifier_.empty() && !format_given_ && level <= Level::warning) {
    if (level == Level::error) return;
    std::string human = std::string("davit: warning: ").append(message).append("\n");
    if (has_hint) human.append("hint: ").append(about->advice).append("\n");
    return to_stderr(human);
  }
  std::string text(message);
  if (has_hint) text.append(" (").append(about->advice).append(")");
  if (!identifier_.empty()) {
    ::openlog(identifier_.c_str(), LOG_PID, LOG_DAEMON);
    ::syslog(kSyslogLevels[static_cast<std::size_t>(level)], "%.*s", static_cast<int>(text.size()),
             text.data());
    return;
  }
  const std::string time = container::utc_now(container::Precision::seconds);
  const std::string line = log_line(format_, level, text, time, about);
  return file_.empty() ? to_stderr(line) : append(line);
}

Result<sys::UniqueFd> Log::open_file() const {
  // A pipe that nobody reads is no reason to wait for ever.
  auto file = sys::open(file_, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0644);
  if (!file.ok()) file.error().wrap("open the log");
  return file;
}

void Log::append(std::string_view line) const {
  const auto file = open_file();
  const auto written = file.ok() ? sys::write_all(*file, line) : Result<void>(file.error());
  if (written.ok()) return;
  std::string text = "davit: cannot write the log: ";
  to_stderr(text.append(describe(written.error())).append("\n"));
}

}  // namespace davit::cli
