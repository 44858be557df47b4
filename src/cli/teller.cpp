// SPDX-License-Identifier: Apache-2.0
#include "cli/teller.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cli/report.hpp"
#include "davit/json/writer.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

constexpr std::string_view kActors[] = {"davit", "stage", "init", "hook", "process"};
constexpr std::size_t kMostEvents = 100'000;

std::string_view name_of(story::Actor actor) {
  return kActors[static_cast<std::size_t>(actor)];
}

/// Thousandths, with three digits behind the point: of nanoseconds microseconds.
std::string thousandths(std::int64_t value) {
  char text[40];
  std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(value / 1000),
                static_cast<long long>(value % 1000));
  return text;
}

std::string milliseconds(std::int64_t nanoseconds) {
  return thousandths(nanoseconds / 1000);
}

std::int64_t first_of(const std::vector<story::Event>& events) {
  std::int64_t first = events.empty() ? 0 : events.front().begin;
  for (const story::Event& event : events) first = std::min(first, event.begin);
  return first;
}

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The trace that the caller's TRACEPARENT (version-trace-parent-flags) names, or a new one.
std::string choose_trace_id() {
  const char* variable = std::getenv("TRACEPARENT");
  const std::string_view parent = variable != nullptr ? variable : "";
  constexpr std::size_t kLength = 55;
  if (parent.size() >= kLength && parent[2] == '-' && parent[35] == '-') {
    const std::string_view id = parent.substr(3, 32);
    if (is_hexadecimal(id) && id.find_first_not_of('0') != std::string_view::npos) return std::string(id);
  }
  std::uint64_t halves[2] = {};
  if (::getrandom(halves, sizeof halves, GRND_NONBLOCK) != sizeof halves) halves[0] = 1;
  char digits[33];
  std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(halves[0]),
                static_cast<unsigned long long>(halves[1]));
  return digits;
}

void write_thread_name(json::Writer& out, std::size_t number) {
  out.begin_object();
  out.key("name").string("thread_name").key("ph").string("M").key("pid").number(1);
  out.key("tid").number(static_cast<std::int64_t>(number) + 1);
  out.key("args").begin_object().key("name").string(kActors[number]).end_object();
  out.end_object();
}

void write_event(json::Writer& out, const story::Event& event, std::int64_t first) {
  const bool is_moment = event.begin == event.end;
  out.begin_object();
  out.key("name").string(event.name);
  out.key("cat").string(name_of(event.actor));
  out.key("ph").string(is_moment ? "i" : "X");
  out.key("ts").raw(thousandths(event.begin - first));
  if (!is_moment) out.key("dur").raw(thousandths(event.end - event.begin));
  if (is_moment) out.key("s").string("t");
  out.key("pid").number(1);
  out.key("tid").number(static_cast<std::int64_t>(event.actor) + 1);
  if (!event.detail.empty()) out.key("args").begin_object().key("detail").string(event.detail).end_object();
  out.end_object();
}

std::string padded(const std::string& text, std::size_t width, bool is_right = false) {
  const std::string gap(text.size() < width ? width - text.size() : 0, ' ');
  return is_right ? gap + text : text + gap;
}

/// Where an event lies between the first and the last one.
std::string bar_of(const story::Event& event, std::int64_t first, std::int64_t length) {
  constexpr std::int64_t kWidth = 40;
  const auto place = [&](std::int64_t time) {
    return std::clamp<std::int64_t>((time - first) * kWidth / std::max<std::int64_t>(length, 1), 0, kWidth);
  };
  const auto begin = static_cast<std::size_t>(std::min(place(event.begin), kWidth - 1));
  const auto end = static_cast<std::size_t>(place(event.end));
  return std::string(begin, ' ') + std::string(std::max<std::size_t>(end > begin ? end - begin : 1, 1), '=');
}

}  // namespace

std::string trace_json(const std::vector<story::Event>& events, std::string_view trace_id) {
  const std::int64_t first = first_of(events);
  json::Writer out(json::Style::compact);
  out.begin_object();
  out.key("displayTimeUnit").string("ms");
  out.key("otherData").begin_object().key("traceId").string(trace_id).end_object();
  out.key("traceEvents").begin_array();
  for (std::size_t i = 0; i < std::size(kActors); ++i) write_thread_name(out, i);
  for (const story::Event& event : events) write_event(out, event, first);
  out.end_array().end_object();
  return out.take() + "\n";
}

std::string trace_table(const std::vector<story::Event>& events) {
  constexpr std::size_t kNameWidth = 44;
  std::vector<story::Event> sorted = events;
  std::stable_sort(sorted.begin(), sorted.end(), [](const story::Event& left, const story::Event& right) {
    return left.begin != right.begin ? left.begin < right.begin : left.end > right.end;
  });
  const std::int64_t first = first_of(events);
  std::int64_t length = 0;
  // The container's own program may run for days; all else would be a dot beside it.
  for (const story::Event& event : sorted)
    if (event.actor != story::Actor::process) length = std::max(length, event.end - first);
  std::string out = padded("at ms", 11, true) + padded("took ms", 11, true) + "  " + padded("who", 9) +
                    padded("what", kNameWidth) + "\n";
  for (const story::Event& event : sorted) {
    std::string what = event.name;
    if (!event.detail.empty()) what.append(" ").append(event.detail);
    what = harmless(what);
    if (what.size() >= kNameWidth) what.resize(kNameWidth - 1);
    out += padded(milliseconds(event.begin - first), 11, true) +
           padded(event.begin == event.end ? "" : milliseconds(event.end - event.begin), 11, true) + "  " +
           padded(std::string(name_of(event.actor)), 9) + padded(what, kNameWidth) +
           bar_of(event, first, length) + "\n";
  }
  return out;
}

std::string debug_line(const story::Event& event) {
  std::string line(name_of(event.actor));
  line.append(": ").append(event.name);
  if (!event.detail.empty()) line.append(": ").append(event.detail);
  line = harmless(line);
  if (event.begin != event.end)
    line.append(" (").append(milliseconds(event.end - event.begin)).append(" ms)");
  return line;
}

Result<void> Teller::check(const std::string& destination) {
  if (destination.empty() || destination == "-") return {};
  // Not kept open: its number could pass for a descriptor that the caller wants to be preserved.
  auto file = sys::open(destination, O_WRONLY | O_CREAT | O_NONBLOCK, 0644);
  if (file.ok()) return {};
  return file.error().wrap("open the file of --trace");
}

Teller::Teller(const Log& log, std::string destination) : log_(log), destination_(std::move(destination)) {
  const bool is_traced = !destination_.empty();
  if (!is_traced && !log_.is_debug()) return;
  if (is_traced) {
    trace_id_ = choose_trace_id();
    story::set_trace_id(trace_id_);
  }
  story::set_listener([this, is_traced](const story::Event& event) {
    if (log_.is_debug()) {
      // As a whole, without anything around it: callers of runc compare the line.
      if (event.name.starts_with("seccomp filter flags: "))
        log_.debug(event.name);
      else
        log_.debug(debug_line(event));
    }
    if (is_traced && events_.size() < kMostEvents) events_.push_back(event);
  });
}

Teller::~Teller() {
  story::set_listener({});
}

Result<void> Teller::finish() {
  story::set_listener({});
  if (destination_.empty()) return {};
  if (destination_ == "-") return sys::write_all(sys::FdRef::of(STDERR_FILENO), trace_table(events_));
  auto file = sys::open(destination_, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0644);
  if (!file.ok()) return file.error().wrap("write the file of --trace");
  return sys::write_all(*file, trace_json(events_, trace_id_));
}

}  // namespace davit::cli
