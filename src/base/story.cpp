// SPDX-License-Identifier: Apache-2.0
#include "davit/base/story.hpp"

#include <sys/random.h>
#include <time.h>

#include <cstdio>
#include <utility>

namespace davit::story {

namespace {
std::function<void(const Event&)> current;
std::string current_trace;
}  // namespace

void set_listener(std::function<void(const Event&)> listener) {
  current = std::move(listener);
}

bool is_listening() {
  return static_cast<bool>(current);
}

void tell(const Event& event) {
  if (current) current(event);
}

void tell(Actor actor, std::string_view name, std::string_view detail) {
  if (!current) return;
  const std::int64_t time = now();
  current({actor, std::string(name), std::string(detail), time, time});
}

std::int64_t now() {
  struct timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

void set_trace_id(std::string id) {
  current_trace = std::move(id);
}

void continue_trace(std::vector<std::string>& environment) {
  if (current_trace.empty()) return;
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number || number == 0)
    number = static_cast<std::uint64_t>(now());
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  constexpr std::string_view kVariable = "TRACEPARENT=";
  std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(kVariable); });
  environment.push_back(std::string(kVariable) + "00-" + current_trace + "-" + digits + "-01");
}

Span::Span(Actor actor, std::string_view name, std::string_view detail) {
  if (!current) return;
  event_ = {actor, std::string(name), std::string(detail), now(), 0};
}

Span::~Span() {
  if (!current || event_.begin == 0) return;
  event_.end = now();
  current(event_);
}

}  // namespace davit::story
