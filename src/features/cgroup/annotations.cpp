// SPDX-License-Identifier: Apache-2.0
// Annotations `org.systemd.property.NAME`: properties of the container's unit. Whoever writes a pod's
// manifest writes annotations, too (CVE-2024-3154), so only what concerns the unit itself is let through:
// nothing that starts or stops other units, acts on the machine, runs a command, moves the container
// elsewhere, or has it outlive those who stop it.
#include <algorithm>
#include <cctype>

#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

constexpr std::string_view kPrefix = "org.systemd.property.";

struct Known {
  std::string_view name;
  std::string_view type;
};
/// org.freedesktop.systemd1(5) has the types.
constexpr Known kKnown[] = {
    {"After", "as"},
    {"AllowedCPUs", "ay"},
    {"AllowedMemoryNodes", "ay"},
    {"Before", "as"},
    {"BlockIOAccounting", "b"},
    {"BlockIODeviceWeight", "a(st)"},
    {"BlockIOReadBandwidth", "a(st)"},
    {"BlockIOWeight", "t"},
    {"BlockIOWriteBandwidth", "a(st)"},
    {"CPUAccounting", "b"},
    {"CPUQuotaPerSecUSec", "t"},
    {"CPUQuotaPeriodUSec", "t"},
    {"CPUShares", "t"},
    {"CPUWeight", "t"},
    {"CollectMode", "s"},
    {"CoredumpReceive", "b"},
    {"DefaultDependencies", "b"},
    {"DefaultMemoryLow", "t"},
    {"DefaultMemoryMin", "t"},
    {"Description", "s"},
    {"Documentation", "as"},
    {"FinalKillSignal", "i"},
    {"IOAccounting", "b"},
    {"IODeviceLatencyTargetUSec", "a(st)"},
    {"IODeviceWeight", "a(st)"},
    {"IOReadBandwidthMax", "a(st)"},
    {"IOReadIOPSMax", "a(st)"},
    {"IOWeight", "t"},
    {"IOWriteBandwidthMax", "a(st)"},
    {"IOWriteIOPSMax", "a(st)"},
    {"IPAccounting", "b"},
    {"IgnoreOnIsolate", "b"},
    {"KillMode", "s"},
    {"KillSignal", "i"},
    {"ManagedOOMMemoryPressure", "s"},
    {"ManagedOOMMemoryPressureLimit", "u"},
    {"ManagedOOMPreference", "s"},
    {"ManagedOOMSwap", "s"},
    {"MemoryAccounting", "b"},
    {"MemoryHigh", "t"},
    {"MemoryLimit", "t"},
    {"MemoryLow", "t"},
    {"MemoryMax", "t"},
    {"MemoryMin", "t"},
    {"MemoryPressureThresholdUSec", "t"},
    {"MemoryPressureWatch", "s"},
    {"MemorySwapMax", "t"},
    {"MemoryZSwapMax", "t"},
    {"MemoryZSwapWriteback", "b"},
    {"OOMPolicy", "s"},
    {"RestartKillSignal", "i"},
    {"RuntimeMaxUSec", "t"},
    {"RuntimeRandomizedExtraUSec", "t"},
    {"SendSIGHUP", "b"},
    {"SendSIGKILL", "b"},
    {"StartupAllowedCPUs", "ay"},
    {"StartupAllowedMemoryNodes", "ay"},
    {"StartupBlockIOWeight", "t"},
    {"StartupCPUShares", "t"},
    {"StartupCPUWeight", "t"},
    {"StartupIOWeight", "t"},
    {"StartupMemoryHigh", "t"},
    {"StartupMemoryLow", "t"},
    {"StartupMemoryMax", "t"},
    {"StartupMemorySwapMax", "t"},
    {"StartupMemoryZSwapMax", "t"},
    {"TasksAccounting", "b"},
    {"TasksMax", "t"},
    {"TimeoutStopUSec", "t"},
};

const Known* find(std::string_view name) {
  const auto found = std::find_if(std::begin(kKnown), std::end(kKnown),
                                  [&](const Known& known) { return known.name == name; });
  return found == std::end(kKnown) ? nullptr : found;
}

Result<bus::Property> property(std::string_view name, std::string_view text) {
  if (const Known* known = find(name))
    return bus::Property{std::string(name), TRY(parse_variant(text, known->type))};
  // As people know it from unit files: TimeoutStopSec is a number of seconds, of whatever type.
  if (name.ends_with("Sec") && !name.ends_with("USec")) {
    const std::string exact = std::string(name.substr(0, name.size() - 3)) + "USec";
    const Known* known = find(exact);
    constexpr double kMost = 1e12;
    if (known != nullptr && known->type == "t")
      for (const char* type : {"d", "i", "u", "x", "t"}) {
        const auto value = parse_variant(text, type);
        if (!value.ok()) continue;
        const double seconds = type[0] == 'd' ? value->real : static_cast<double>(value->number);
        if (seconds >= 0 && seconds < kMost)
          return bus::Property{exact, bus::number(static_cast<std::uint64_t>(seconds * 1000000))};
      }
    if (known != nullptr) return make_error(Code::invalid_config, "it is no number of seconds");
  }
  Error error = make_error(Code::invalid_config, "this property of a unit cannot be set by an annotation");
  return error.advise(
      "only those that concern the container's unit alone can, like TimeoutStopUSec, KillSignal or After");
}

/// systemd.resource-control(5): with one of the newer properties, those for cgroup v1 are ignored.
constexpr struct {
  std::string_view of_v1;
  std::string_view newer;
} kSuperseded[] = {{"CPUShares", "CPUWeight"}, {"MemoryLimit", "Memory"}, {"BlockIO", "IO"}};

/// Also by a value for the time in which the machine comes up or goes down.
bool is_limited(const std::vector<bus::Property>& limits, std::string_view name) {
  constexpr std::string_view kStartup = "Startup";
  if (name.starts_with(kStartup)) name.remove_prefix(kStartup.size());
  return std::any_of(limits.begin(), limits.end(), [name](const bus::Property& limit) {
    return limit.name == name ||
           std::any_of(std::begin(kSuperseded), std::end(kSuperseded), [&](const auto& one) {
             return limit.name.starts_with(one.of_v1) && name.starts_with(one.newer);
           });
  });
}

/// "/NAME" of a directory that an annotation names; empty: it does not.
Result<std::string> directory_of(const spec::Config& config, std::string_view annotation) {
  const auto found = config.annotations.find(annotation);
  if (found == config.annotations.end() || found->second.empty()) return std::string();
  const std::string& name = found->second;
  // The kernel's own files are in the same directory, all of them with a dot.
  constexpr std::size_t kLongest = 200;
  const bool is_plain = std::all_of(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
  if (is_plain && name.size() < kLongest) return "/" + name;
  return spec::at(config.position, "annotations/" + std::string(annotation),
                  make_error(Code::invalid_config, "it has to be a name of letters, digits, - and _"));
}

}  // namespace

Result<std::string> subgroup_of(const spec::Config& config) {
  return directory_of(config, "run.oci.systemd.subgroup");
}

Result<std::string> delegated_of(const spec::Config& config) {
  return directory_of(config, "run.oci.delegate-cgroup");
}

Result<std::vector<bus::Property>> annotated_properties(const spec::Config& config,
                                                        const std::vector<bus::Property>& limits) {
  std::vector<bus::Property> properties;
  for (auto entry = config.annotations.lower_bound(kPrefix);
       entry != config.annotations.end() && entry->first.starts_with(kPrefix); ++entry) {
    auto read = property(std::string_view(entry->first).substr(kPrefix.size()), entry->second);
    if (!read.ok()) {
      read.error().wrap(entry->first);
      return spec::at(config.position, "annotations/" + entry->first, read.error());
    }
    if (!is_limited(limits, read->name)) properties.push_back(std::move(*read));
  }
  return properties;
}

}  // namespace davit::cgroup
