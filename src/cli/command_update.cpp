// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <charconv>
#include <limits>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/update_flags.hpp"
#include "davit/json/writer.hpp"
#include "davit/spec/reader.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

constexpr std::size_t kMaximumResources = 1 << 20;

enum class Form { number, bytes, text };

struct Limit {
  std::string_view option;
  std::string_view section;
  std::string_view key;
  Form form;
};

// Those of one section stand together.
constexpr Limit kLimits[] = {
    {"memory", "memory", "limit", Form::bytes},
    {"memory-reservation", "memory", "reservation", Form::bytes},
    {"memory-swap", "memory", "swap", Form::bytes},
    {"kernel-memory", "memory", "kernel", Form::bytes},
    {"kernel-memory-tcp", "memory", "kernel",
     Form::bytes},  // of both, other runtimes only say that it is ignored
    {"cpu-quota", "cpu", "quota", Form::number},
    {"cpu-period", "cpu", "period", Form::number},
    {"cpu-burst", "cpu", "burst", Form::number},
    {"cpu-share", "cpu", "shares", Form::number},
    {"cpu-idle", "cpu", "idle", Form::number},
    {"cpu-rt-period", "cpu", "realtimePeriod", Form::number},
    {"cpu-rt-runtime", "cpu", "realtimeRuntime", Form::number},
    {"cpuset-cpus", "cpu", "cpus", Form::text},
    {"cpuset-mems", "cpu", "mems", Form::text},
    {"blkio-weight", "blockIO", "weight", Form::number},
    {"pids-limit", "pids", "limit", Form::number},
};

Error bad_number(std::string_view text, std::string_view what) {
  Text<768> message("invalid --");
  message.append(what).append(" \"").append(text.substr(0, 60)).append("\": it is not a number");
  return make_error(Code::invalid_argument, message);
}

Error bad_count(std::string_view text, std::string_view what) {
  Error error = bad_number(text, what);
  return error.advise("a whole number, without a unit; see `davit update --help` for what it counts");
}

Error bad_size(std::string_view text, std::string_view what) {
  Error error = bad_number(text, what);
  return error.advise("a whole number of bytes, or with K, M or G behind it: 512M");
}

/// No process lives in less than a page.
constexpr std::int64_t kLeastMemory = 4096;

Error too_small(std::string_view text, std::string_view what) {
  Text<768> message("invalid --");
  message.append(what).append(" \"").append(text).append("\": so few bytes are less than a page");
  Error error = make_error(Code::invalid_argument, message);
  return error.advise(Text<64>("K, M or G may follow the number: ").append(text).append("M"));
}

Result<void> write_limit(json::Writer& out, const Limit& limit, const std::string& value) {
  out.key(limit.key);
  if (limit.form == Form::text) {
    out.string(value);
    return {};
  }
  const bool has_unit = !value.empty() && (value.back() < '0' || value.back() > '9');
  if (limit.form == Form::number && has_unit) return bad_count(value, limit.option);
  const std::int64_t number = TRY(parse_bytes(value, limit.option));
  if (limit.form == Form::bytes && !has_unit && number > 0 && number < kLeastMemory)
    return too_small(value, limit.option);
  out.number(number);
  return {};
}

Result<std::string> resources_text(const Arguments& options) {
  const std::string file = options.text("resources");
  if (file == "-") return sys::read_all(sys::FdRef::of(STDIN_FILENO), kMaximumResources);
  if (!file.empty()) return sys::read_file_or_pipe(file, kMaximumResources);
  std::string text = TRY(resources_from_flags(options));
  if (!text.empty()) return text;
  if (options.given("l3-cache-schema") || options.given("mem-bw-schema")) return std::string("{}");
  Error error = make_error(Code::invalid_argument, "there is nothing to update");
  return error.advise("name a limit (see --help), or a file like linux.resources with --resources");
}

/// One line that begins as the resource does.
Result<std::string> schema_of(const Arguments& options, std::string_view option, std::string_view prefix) {
  std::string schema = options.text(option);
  if (schema.empty() || (schema.starts_with(prefix) && schema.find('\n') == std::string::npos)) return schema;
  Text<768> message("--");
  message.append(option).append(" must be one line that begins with \"").append(prefix).append("\"");
  return make_error(Code::invalid_argument, message);
}

Result<resctrl::Schemata> schemata_of(const Arguments& options) {
  return resctrl::Schemata{TRY(schema_of(options, "l3-cache-schema", "L3")),
                           TRY(schema_of(options, "mem-bw-schema", "MB:"))};
}

}  // namespace

Result<std::int64_t> parse_bytes(std::string_view text, std::string_view what) {
  std::int64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data(), last, value);
  if (failure != std::errc() || end == text.data()) return bad_size(text, what);
  if (end == last) return value;
  constexpr std::string_view kUnits = "bkmgt";
  const std::size_t unit = kUnits.find(static_cast<char>(*end | 0x20));
  if (end + 1 != last || unit == std::string_view::npos || value < 0) return bad_size(text, what);
  if (value > (std::numeric_limits<std::int64_t>::max() >> (10 * unit))) return bad_size(text, what);
  return value << (10 * unit);
}

Result<std::string> resources_from_flags(const Arguments& options) {
  json::Writer out(json::Style::compact);
  std::string_view section;
  out.begin_object();
  for (const Limit& limit : kLimits) {
    if (!options.given(limit.option)) continue;
    if (limit.option == "kernel-memory-tcp" && options.given("kernel-memory")) continue;
    if (section != limit.section) {
      if (!section.empty()) out.end_object();
      section = limit.section;
      out.key(section).begin_object();
    }
    TRY(write_limit(out, limit, options.text(limit.option)));
  }
  if (section.empty()) return std::string();
  out.end_object().end_object();
  return out.take();
}

Result<int> command_update(Invocation& invocation) {
  const std::string file = invocation.options().text("resources");
  const resctrl::Schemata schemata = TRY(schemata_of(invocation.options()));
  std::string text = TRY(resources_text(invocation.options()));
  container::Context& context = *TRY(invocation.context());
  const std::string name = file.empty() ? "the limits given" : file == "-" ? "standard input" : file;
  auto read = spec::read_resources(std::move(text), name);
  context.warnings = std::move(read.warnings);
  context.notices = std::move(read.notices);
  if (!read.ok()) {
    context.errors = std::move(read.errors);
    return context.errors.front();
  }
  TRY(container::update(context, invocation.arguments().front(), read.value.resources, schemata));
  return 0;
}

}  // namespace davit::cli
