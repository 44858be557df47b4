// SPDX-License-Identifier: Apache-2.0
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "cli/duration.hpp"
#include "cli/event_json.hpp"
#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/usage_table.hpp"
#include "davit/sys/clock.hpp"

namespace davit::cli {

namespace {

constexpr std::int64_t kInterval = 1000;
constexpr std::string_view kClearScreen = "\x1b[H\x1b[J";

struct Sample {
  std::string id;
  container::Usage usage;
  std::int64_t time = 0;  ///< milliseconds
};

void sleep_for(std::int64_t milliseconds) {
  const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  ::nanosleep(&time, nullptr);
}

/// The containers that were asked for, or all that have not ended.
Result<std::vector<std::string>> wanted_ids(Invocation& invocation, container::Context& context) {
  if (!invocation.arguments().empty()) return invocation.arguments();
  std::vector<std::string> ids;
  for (const spec::State& state : TRY(container::list(context)))
    if (state.status != spec::Status::stopped && state.status != spec::Status::creating)
      ids.push_back(state.id);
  return ids;
}

bool has_ended(const Error& error) {
  return error.code == Code::wrong_state || error.code == Code::not_found;
}

/// One sample of each. With `may_end`, containers that are gone are left out; else they are an error.
Result<std::vector<Sample>> take_samples(container::Context& context, const std::vector<std::string>& ids,
                                         bool may_end) {
  std::vector<Sample> samples;
  for (const std::string& id : ids) {
    auto usage = container::usage(context, id);
    if (usage.ok())
      samples.push_back({id, std::move(*usage), sys::monotonic_milliseconds()});
    else if (!may_end || !has_ended(usage.error()))
      return usage.error().wrap(id);
  }
  return samples;
}

std::vector<UsageSpan> spans_between(const std::vector<Sample>& before, const std::vector<Sample>& after) {
  std::vector<UsageSpan> spans;
  for (const Sample& sample : after) {
    const auto earlier = std::find_if(before.begin(), before.end(),
                                      [&](const Sample& other) { return other.id == sample.id; });
    if (earlier != before.end())
      spans.push_back({sample.id, earlier->usage, sample.usage, sample.time - earlier->time});
  }
  return spans;
}

Result<void> print_json(const std::vector<Sample>& samples) {
  std::string out;
  for (const Sample& sample : samples) out += usage_event(sample.id, sample.usage);
  return print(out);
}

/// Shows one table, or with `watch` one after the other as long as a container is there.
Result<void> show(Invocation& invocation, std::int64_t interval) {
  container::Context& context = *TRY(invocation.context());
  const bool watch = invocation.options().flag("watch");
  const bool json = invocation.options().flag("json");
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const bool is_named = !invocation.arguments().empty();
  std::vector<Sample> before = TRY(take_samples(context, TRY(wanted_ids(invocation, context)), !is_named));
  if (json) TRY(print_json(before));
  if (json && !watch) return {};
  do {
    sleep_for(interval);
    std::vector<Sample> after = TRY(take_samples(context, TRY(wanted_ids(invocation, context)), true));
    if (json)
      TRY(print_json(after));
    else
      TRY(print(std::string(watch && is_terminal ? kClearScreen : "") +
                usage_table(spans_between(before, after))));
    before = std::move(after);
  } while (watch && (!is_named || !before.empty()));
  return {};
}

}  // namespace

Result<int> command_stats(Invocation& invocation) {
  invocation.subject.clear();
  const std::int64_t interval = invocation.options().given("interval")
                                    ? TRY(parse_duration(invocation.options().text("interval")))
                                    : kInterval;
  TRY(show(invocation, interval));
  return 0;
}

}  // namespace davit::cli
