// SPDX-License-Identifier: Apache-2.0
// Settings of a cgroup -> properties of a unit (systemd.resource-control(5)). systemd would otherwise take
// back what it does not know of, with its next reload. It writes the same values, and does not tell when the
// kernel refuses them: so davit writes them, too.
#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <optional>

#include "davit/base/fields.hpp"
#include "features/cgroup/device_rules.hpp"
#include "features/cgroup/translation.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

constexpr std::uint64_t kInfinity = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kUsualPeriod = 100000;  // microseconds

/// A number as the kernel reads it (memparse): "max", or digits with a unit of memory.
std::optional<std::uint64_t> number_in(std::string_view text) {
  if (text == "max" || text == "-1") return kInfinity;
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (rest.empty()) return value;
  constexpr std::string_view kUnits = "kmgtpe";
  const std::size_t unit = kUnits.find(static_cast<char>(rest.front() | 0x20));
  if (rest.size() != 1 || unit == std::string_view::npos) return std::nullopt;
  const unsigned shift = 10 * (static_cast<unsigned>(unit) + 1);
  return value > (kInfinity >> shift) ? kInfinity : value << shift;
}

/// "0-3,7" -> the bits 0 to 3 and 7, as bytes.
std::optional<bus::Value> bits_in(std::string_view list) {
  constexpr unsigned kMost = 8191;  // CONFIG_NR_CPUS is no higher anywhere
  std::vector<bus::Value> bytes;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view range = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    const std::size_t dash = range.find('-');
    const auto first = number_in(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_in(range.substr(dash + 1));
    if (!first || !last || *last > kMost || *first > *last) return std::nullopt;
    for (std::uint64_t bit = *first; bit <= *last; ++bit) {
      if (bytes.size() <= bit / 8) bytes.resize(bit / 8 + 1, {.type = "y"});
      bytes[bit / 8].number |= 1U << (bit % 8);
    }
  }
  return bus::array("y", std::move(bytes));
}

class Translation {
 public:
  explicit Translation(host::CgroupMode mode) : mode_(mode) {}

  /// False: the value is not one that the kernel would take.
  bool add(const Setting& setting);
  std::vector<UnitProperty> finish();

 private:
  void set(const char* name, bus::Value value, unsigned since = 0) {
    properties_.push_back({{name, std::move(value)}, since});
  }
  bool add_number(const char* name, std::string_view text, unsigned since) {
    const auto value = number_in(text);
    if (value) set(name, bus::number(*value), since);
    return value.has_value();
  }
  bool add_bits(const char* name, std::string_view text) {
    auto bits = bits_in(text);
    if (bits) set(name, std::move(*bits), 244);
    return bits.has_value();
  }
  /// One more entry of a list by device.
  void add_for_device(const char* name, std::string_view device, std::uint64_t value) {
    const auto same = std::find_if(properties_.begin(), properties_.end(),
                                   [&](const UnitProperty& one) { return one.property.name == name; });
    bus::Value entry = bus::structure({bus::text("/dev/block/" + std::string(device)), bus::number(value)});
    if (same != properties_.end()) return same->property.value.parts.push_back(std::move(entry));
    set(name, bus::array("(st)", {std::move(entry)}));
  }
  bool add_device_number(const char* name, std::string_view text) {
    const std::string_view device = next_word(text);
    const auto value = number_in(text);
    if (value) add_for_device(name, device, *value);
    return value.has_value();
  }
  bool add_quota(std::string_view text);
  bool add_weight(const Setting& setting);
  bool add_io_max(std::string_view text);
  bool add_v1(const Setting& setting);

  host::CgroupMode mode_;
  std::vector<UnitProperty> properties_;
  std::optional<std::uint64_t> quota_;  ///< microseconds per period
  std::optional<std::uint64_t> period_;
};

/// cpu.max: "QUOTA [PERIOD]"
bool Translation::add_quota(std::string_view text) {
  quota_ = number_in(next_word(text));
  if (!text.empty()) period_ = number_in(text);
  return quota_.has_value() && (text.empty() || period_.has_value());
}

/// io.weight: "[default] WEIGHT" or "DEVICE WEIGHT"
bool Translation::add_weight(const Setting& setting) {
  const bool is_bfq = setting.file == "io.bfq.weight";
  // systemd converts it for BFQ by itself.
  if (is_bfq && setting.other_value.empty()) return true;
  std::string_view text = is_bfq ? setting.other_value : setting.value;
  if (text.starts_with("default ")) text.remove_prefix(8);
  if (text.find(' ') != std::string_view::npos) return add_device_number("IODeviceWeight", text);
  return add_number("IOWeight", text, 0);
}

/// io.max: "DEVICE KEY=VALUE..."
bool Translation::add_io_max(std::string_view text) {
  constexpr std::pair<std::string_view, const char*> kKeys[] = {{"rbps", "IOReadBandwidthMax"},
                                                                {"wbps", "IOWriteBandwidthMax"},
                                                                {"riops", "IOReadIOPSMax"},
                                                                {"wiops", "IOWriteIOPSMax"}};
  const std::string_view device = next_word(text);
  while (!text.empty()) {
    const std::string_view word = next_word(text);
    const std::size_t equal = std::min(word.find('='), word.size());
    const auto key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                  [&](const auto& one) { return one.first == word.substr(0, equal); });
    const auto value = number_in(word.substr(std::min(equal + 1, word.size())));
    if (key == std::end(kKeys) || !value) return false;
    add_for_device(key->second, device, *value);
  }
  return true;
}

struct Simple {
  std::string_view file;
  const char* property;
  unsigned since;
};
constexpr Simple kSimple[] = {
    {"memory.max", "MemoryMax", 0},
    {"memory.high", "MemoryHigh", 0},
    {"memory.low", "MemoryLow", 0},
    {"memory.min", "MemoryMin", 240},
    {"memory.swap.max", "MemorySwapMax", 0},
    {"memory.zswap.max", "MemoryZSwapMax", 253},
    {"pids.max", "TasksMax", 0},
    {"cpu.weight", "CPUWeight", 0},
    {"cpu.shares", "CPUShares", 0},
    {"memory.limit_in_bytes", "MemoryLimit", 0},
    {"blkio.weight", "BlockIOWeight", 0},
};
constexpr Simple kByDevice[] = {
    {"blkio.weight_device", "BlockIODeviceWeight", 0},
    {"blkio.throttle.read_bps_device", "BlockIOReadBandwidth", 0},
    {"blkio.throttle.write_bps_device", "BlockIOWriteBandwidth", 0},
};

bool Translation::add(const Setting& setting) {
  const std::string& file = setting.file;
  const std::string& value = setting.value;
  for (const Simple& simple : kSimple)
    if (simple.file == file) return add_number(simple.property, value, simple.since);
  for (const Simple& by_device : kByDevice)
    if (by_device.file == file) return add_device_number(by_device.property, value);
  if (file == "cpu.max") return setting.keep_quota || add_quota(value);
  if (file == "cpu.cfs_quota_us") quota_ = number_in(value);
  if (file == "cpu.cfs_period_us") period_ = number_in(value);
  // systemd.resource-control(5): the weight "idle", which is 0 on the bus.
  if (file == "cpu.idle" && value == "1" && mode_ == host::CgroupMode::v2)
    set("CPUWeight", bus::number(0), 252);
  // An empty list stands for all; on v1 systemd has none.
  if (mode_ == host::CgroupMode::v2 && file == "cpuset.cpus") return add_bits("AllowedCPUs", value);
  if (mode_ == host::CgroupMode::v2 && file == "cpuset.mems") return add_bits("AllowedMemoryNodes", value);
  if (file == "io.weight" || file == "io.bfq.weight") return add_weight(setting);
  if (file == "io.max") return add_io_max(value);
  return true;
}

std::vector<UnitProperty> Translation::finish() {
  if (!quota_) return std::move(properties_);
  const std::uint64_t period = period_.value_or(kUsualPeriod);
  if (*quota_ == kInfinity || period == 0) {
    set("CPUQuotaPerSecUSec", bus::number(kInfinity));
  } else {
    set("CPUQuotaPerSecUSec", bus::number(*quota_ * 1000000 / period));
    set("CPUQuotaPeriodUSec", bus::number(period), 242);
  }
  return std::move(properties_);
}

/// "/dev/char/1:3" or, for every minor, "char-1"; every major "char-*". None of these has to be there.
std::string device_name(const spec::DeviceRule& rule) {
  const std::string kind = rule.type == spec::DeviceRuleType::block ? "block" : "char";
  if (!rule.major) return kind + "-*";
  if (!rule.minor) return kind + "-" + std::to_string(*rule.major);
  return "/dev/" + kind + "/" + device_number(*rule.major, *rule.minor);
}

}  // namespace

std::vector<bus::Property> device_properties(const std::vector<spec::DeviceRule>& rules) {
  const DeviceList list = device_list(rules);
  // What is denied out of everything systemd cannot say.
  if (list.base) return {{"DevicePolicy", bus::text("auto")}};
  std::vector<bus::Value> allowed;
  for (const spec::DeviceRule& rule : list.rules) {
    if (!rule.allow) continue;
    const std::string access =
        std::string(rule.read ? "r" : "") + (rule.write ? "w" : "") + (rule.mknod ? "m" : "");
    allowed.push_back(bus::structure({bus::text(device_name(rule)), bus::text(access)}));
  }
  return {{"DevicePolicy", bus::text("strict")}, {"DeviceAllow", bus::array("(ss)", std::move(allowed))}};
}

Result<std::vector<Setting>> with_counterparts(
    std::vector<Setting> settings, host::CgroupMode mode,
    const std::function<Result<std::string>(const char* file)>& read) {
  bool has_quota = false;
  bool ends_idleness = false;
  bool has_weight = false;
  for (Setting& setting : settings) {
    has_quota = has_quota || setting.file == "cpu.cfs_quota_us" || setting.file == "cpu.cfs_period_us";
    ends_idleness = ends_idleness || (setting.file == "cpu.idle" && setting.value == "0");
    has_weight = has_weight || setting.file == "cpu.weight";
    if (setting.file != "cpu.max") continue;
    setting.value = TRY(read("cpu.max"));
    setting.keep_quota = false;
  }
  if (has_quota)
    for (const char* file : {"cpu.cfs_quota_us", "cpu.cfs_period_us"})
      settings.push_back({"cpu", file, TRY(read(file)), {}, ""});
  // Idleness is a weight for systemd, and would stay one.
  if (ends_idleness && !has_weight && mode == host::CgroupMode::v2)
    settings.push_back({"cpu", "cpu.weight", TRY(read("cpu.weight")), {}, ""});
  return settings;
}

Result<std::vector<UnitProperty>> unit_properties(const std::vector<Setting>& settings,
                                                  host::CgroupMode mode) {
  Translation translation(mode);
  for (const Setting& setting : settings)
    if (!translation.add(setting))
      return spec::at(setting.position, setting.below,
                      make_error(Code::invalid_config, "systemd cannot be told of " + setting.file + " = '" +
                                                           setting.value.substr(0, 80) + "'"));
  return translation.finish();
}

}  // namespace davit::cgroup
