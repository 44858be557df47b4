// SPDX-License-Identifier: Apache-2.0
#include "features/cgroup/statistics.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "davit/base/fields.hpp"
#include "davit/sys/file.hpp"
#include "features/cgroup/tree.hpp"

namespace davit::cgroup {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;

/// The cgroup files of a place.
class PlaceFiles : public CounterFiles {
 public:
  explicit PlaceFiles(const Place& place) : place_(place) {}

  bool is_v2(std::string_view controller) override {
    const Directory* directory = find_directory(place_, controller);
    return directory != nullptr && directory->controllers.empty();
  }

  std::optional<std::string> read(std::string_view controller, const std::string& file) override {
    const Directory* directory = find_directory(place_, controller);
    if (directory == nullptr) return {};
    auto text = sys::read_records(directory->path + "/" + file, kLargestFile);
    if (!text.ok()) return {};
    return std::move(*text);
  }

  std::vector<std::string> hugepage_sizes() override {
    std::vector<std::string> sizes;
    const auto directory = sys::open("/sys/kernel/mm/hugepages", O_RDONLY | O_DIRECTORY);
    if (!directory.ok()) return sizes;
    const auto names = sys::list_directory(*directory);
    if (!names.ok()) return sizes;
    for (std::string_view name : *names) {
      constexpr std::string_view kPrefix = "hugepages-";
      if (!name.starts_with(kPrefix)) continue;
      std::uint64_t kilobytes = 0;
      std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), kilobytes);
      sizes.push_back(size_name(kilobytes));
    }
    std::sort(sizes.begin(), sizes.end());
    return sizes;
  }

 private:
  /// As the kernel spells it in the names of hugetlb's files.
  static std::string size_name(std::uint64_t kilobytes) {
    if (kilobytes >= 1 << 20) return std::to_string(kilobytes >> 20) + "GB";
    if (kilobytes >= 1 << 10) return std::to_string(kilobytes >> 10) + "MB";
    return std::to_string(kilobytes) + "KB";
  }

  const Place& place_;
};

PidsStatistics pids_of(CounterFiles& files) {
  const std::uint64_t limit = read_number(files, "pids", "pids.max");
  return {read_number(files, "pids", "pids.current"), limit == kUnlimited ? 0 : limit};
}

/// "mlx4_0 hca_handle=2 hca_object=max": the same in both versions.
std::vector<RdmaCounter> rdma_of(CounterFiles& files, const std::string& file) {
  std::vector<RdmaCounter> counters;
  const std::string text = files.read("rdma", file).value_or("");
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    RdmaCounter counter{.device = std::string(words.front())};
    for (const std::string_view word : words) {
      constexpr std::string_view kHandles = "hca_handle=";
      constexpr std::string_view kObjects = "hca_object=";
      if (word.starts_with(kHandles)) counter.hca_handles = number_of(word.substr(kHandles.size()));
      if (word.starts_with(kObjects)) counter.hca_objects = number_of(word.substr(kObjects.size()));
    }
    counters.push_back(std::move(counter));
  }
  return counters;
}

}  // namespace

std::uint64_t number_of(std::string_view text) {
  if (text.starts_with("max")) return kUnlimited;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::string_view word = next_word(line);
    if (!word.empty()) words.push_back(word);
  }
  if (words.empty()) words.emplace_back();
  return words;
}

std::map<std::string, std::uint64_t> keyed_numbers(std::string_view text) {
  std::map<std::string, std::uint64_t> numbers;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() == 2) numbers.emplace(words[0], number_of(words[1]));
  }
  return numbers;
}

std::vector<std::uint32_t> list_of(std::string_view text) {
  // More than any machine has; a damaged file must not fill the memory.
  constexpr std::uint32_t kMost = 1 << 16;
  std::vector<std::uint32_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::uint32_t first = 0;
    const auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc()) break;
    std::uint32_t last = first;
    at = parsed.ptr;
    if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
    for (std::uint32_t number = first; number <= last && numbers.size() < kMost; ++number)
      numbers.push_back(number);
    ++at;
  }
  return numbers;
}

bool parse_device(std::string_view word, BlockCounter& counter) {
  const char* const end = word.data() + word.size();
  const auto major = std::from_chars(word.data(), end, counter.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != ':') return false;
  const auto minor = std::from_chars(major.ptr + 1, end, counter.minor);
  return minor.ec == std::errc() && minor.ptr == end;
}

Statistics read_statistics(CounterFiles& files) {
  Statistics statistics;
  statistics.cpu = files.is_v2("cpu") ? cpu_v2(files) : cpu_v1(files);
  statistics.cpuset = files.is_v2("cpuset") ? cpuset_v2(files) : cpuset_v1(files);
  statistics.memory = files.is_v2("memory") ? memory_v2(files) : memory_v1(files);
  statistics.pids = pids_of(files);
  statistics.block = files.is_v2("blkio") ? block_v2(files) : block_v1(files);
  for (const std::string& size : files.hugepage_sizes()) {
    const bool v2 = files.is_v2("hugetlb");
    if (!files.read("hugetlb", "hugetlb." + size + (v2 ? ".current" : ".usage_in_bytes"))) continue;
    statistics.hugepages[size] = v2 ? hugepages_v2(files, size) : hugepages_v1(files, size);
  }
  statistics.rdma = {rdma_of(files, "rdma.current"), rdma_of(files, "rdma.max")};
  return statistics;
}

Statistics read_statistics(const Place& place) {
  PlaceFiles files(place);
  return read_statistics(files);
}

Result<OomWatch> OomWatch::open(const Place& place) {
  const Directory* directory = find_directory(place, "memory");
  const bool v2 = directory != nullptr && directory->controllers.empty();
  const std::string name = v2 ? "/memory.events" : "/memory.oom_control";
  if (directory == nullptr || !exists(directory->path + name))
    return make_error(Code::unsupported, "no memory controller counts for this container");
  sys::UniqueFd file = TRY(sys::open(directory->path + name, O_RDONLY));
  sys::UniqueFd event;
  if (!v2) {
    // Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control".
    event = sys::UniqueFd::adopt(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event.valid()) return system_error(errno, "eventfd");
    TRY(sys::write_file(directory->path + "/cgroup.event_control",
                        std::to_string(event.number()) + " " + std::to_string(file.number())));
  }
  OomWatch watch(std::move(file), std::move(event));
  watch.seen_ = TRY(watch.count());
  return watch;
}

short OomWatch::events() const {
  return event_.valid() ? POLLIN : POLLPRI;
}

Result<std::uint64_t> OomWatch::count() const {
  char text[1024];
  const ssize_t size = ::pread(file_.number(), text, sizeof text, 0);
  if (size < 0) return system_error(errno, "read the cgroup's count of OOM kills");
  return keyed_value({text, static_cast<std::size_t>(size)}, "oom_kill");
}

Result<std::uint64_t> OomWatch::take() {
  const std::uint64_t now = TRY(count());
  const std::uint64_t fresh = now - std::min(seen_, now);
  seen_ = now;
  if (!event_.valid()) return fresh;
  // v1 signals before it kills: the count may still be the old one, and nothing tells when it is not.
  std::uint64_t signalled = 0;
  (void)!::read(event_.number(), &signalled, sizeof signalled);
  return signalled;
}

}  // namespace davit::cgroup
