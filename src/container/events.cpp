// SPDX-License-Identifier: Apache-2.0
// What a container uses, and what happens to it meanwhile.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "container/open.hpp"
#include "davit/base/fields.hpp"
#include "davit/sys/clock.hpp"
#include "davit/sys/file.hpp"

namespace davit::container {
namespace {

/// The interfaces of the container's init, unless they are our own. What cannot be read counts as none: the
/// process may have ended, or hidden from us.
std::vector<InterfaceCounters> interfaces_of(const Init& init) {
  const std::string process = "/proc/" + std::to_string(init.pid);
  const auto is_ours = sys::is_same_file(process + "/ns/net", "/proc/self/ns/net");
  if (!is_ours.ok() || *is_ours) return {};
  const auto text = sys::read_records(process + "/net/dev", 1 << 20);
  // Else the number may have become somebody else's before, and what was read that one's.
  if (!init_alive(init)) return {};
  return text.ok() ? parse_interfaces(*text) : std::vector<InterfaceCounters>();
}

Usage usage_of(const Record& record) {
  return {cgroup::read_statistics(record.cgroup),
          resctrl::read_statistics(resctrl::host_tree(), record.resctrl_group), interfaces_of(record.init)};
}

/// The end of a container and its lack of memory, whatever comes first.
class Watch {
 public:
  static Result<Watch> open(const Record& record) {
    Watch watch;
    watch.init_ = TRY(open_init(record.init));
    // A container that nobody counts for can still be watched to its end.
    auto memory = cgroup::OomWatch::open(record.cgroup);
    if (memory.ok()) watch.memory_.emplace(std::move(*memory));
    if (!memory.ok() && memory.error().code != Code::unsupported) return memory.error();
    return watch;
  }

  /// False once the container has ended. Returns at `deadline` at the latest.
  Result<bool> wait(std::int64_t deadline, EventSink& sink) {
    for (;;) {
      struct pollfd polls[2] = {{init_.number(), POLLIN, 0}, {-1, 0, 0}};
      if (memory_) polls[1] = {memory_->descriptor().number(), memory_->events(), 0};
      const std::int64_t left = std::max<std::int64_t>(deadline - sys::monotonic_milliseconds(), 0);
      const int ready = ::poll(polls, 2, static_cast<int>(std::min<std::int64_t>(left, INT32_MAX)));
      if (ready < 0 && errno != EINTR) return system_error(errno, "poll");
      if (polls[1].revents != 0) TRY(tell(sink));
      if (polls[0].revents != 0) return false;
      if (ready == 0) return true;
    }
  }

 private:
  Result<void> tell(EventSink& sink) {
    const auto killed = memory_->take();
    if (!killed.ok()) {
      memory_.reset();  // the cgroup is gone, and the end of init is about to be seen
      return {};
    }
    // Files of v2 announce other events, too.
    for (std::uint64_t i = 0; i < *killed; ++i) TRY(sink.out_of_memory());
    return {};
  }

  sys::UniqueFd init_;
  std::optional<cgroup::OomWatch> memory_;
};

}  // namespace

std::vector<InterfaceCounters> parse_interfaces(std::string_view text) {
  std::vector<InterfaceCounters> found;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // the two lines of headings have none
    std::string_view name = line.substr(0, colon);
    InterfaceCounters counters{.name = std::string(next_word(name))};
    line.remove_prefix(colon + 1);
    std::uint64_t* const columns[] = {&counters.received_bytes,
                                      &counters.received_packets,
                                      &counters.received_errors,
                                      &counters.received_dropped,
                                      nullptr,
                                      nullptr,
                                      nullptr,
                                      nullptr,
                                      &counters.sent_bytes,
                                      &counters.sent_packets,
                                      &counters.sent_errors,
                                      &counters.sent_dropped};
    for (std::uint64_t* column : columns) {
      const std::string_view word = next_word(line);
      if (column != nullptr) std::from_chars(word.data(), word.data() + word.size(), *column);
    }
    found.push_back(std::move(counters));
  }
  return found;
}

Result<Usage> usage(Context& context, const std::string& id) {
  const Opened opened = TRY(open_for(context, Operation::observe, id));
  return usage_of(opened.record);
}

Result<void> follow_events(Context& context, const std::string& id, std::int64_t interval, EventSink& sink) {
  const Opened opened = TRY(open_for(context, Operation::observe, id));
  Watch watch = TRY(Watch::open(opened.record));
  for (std::int64_t deadline = sys::monotonic_milliseconds() + interval; TRY(watch.wait(deadline, sink));
       deadline = sys::monotonic_milliseconds() + interval)
    TRY(sink.usage(usage_of(opened.record)));
  return {};
}

}  // namespace davit::container
