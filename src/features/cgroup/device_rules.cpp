// SPDX-License-Identifier: Apache-2.0
#include "features/cgroup/device_rules.hpp"

#include <algorithm>

namespace davit::cgroup {
namespace {

using spec::DeviceRule;
using spec::DeviceRuleType;
using Number = std::optional<std::uint32_t>;

DeviceRule rule(bool allow, DeviceRuleType type, Number major, Number minor, bool read_write) {
  DeviceRule result;
  result.allow = allow;
  result.type = type;
  result.major = major;
  result.minor = minor;
  result.read = result.write = read_write;
  result.mknod = true;
  return result;
}

/// What the default devices of the spec need, and mknod, which is harmless without read and write.
void append_defaults(std::vector<DeviceRule>& rules) {
  const auto character = DeviceRuleType::character;
  rules.push_back(rule(true, character, {}, {}, false));
  rules.push_back(rule(true, DeviceRuleType::block, {}, {}, false));
  for (const std::uint32_t minor : {3U, 5U, 7U, 8U, 9U})  // null zero full random urandom
    rules.push_back(rule(true, character, 1, minor, true));
  for (const std::uint32_t minor : {0U, 1U, 2U})  // tty console ptmx
    rules.push_back(rule(true, character, 5, minor, true));
  rules.push_back(rule(true, character, 136, {}, true));  // pts
  rules.push_back(rule(true, character, 10, 200, true));  // net/tun, which VPNs expect to be able to open
}

bool covers(const Number& wide, const Number& narrow) {
  return !wide || wide == narrow;
}
bool meets(const Number& one, const Number& other) {
  return !one || !other || one == other;
}
/// Every device of `narrow` is one of `wide`.
bool covers_devices(const DeviceRule& wide, const DeviceRule& narrow) {
  return wide.type == narrow.type && covers(wide.major, narrow.major) && covers(wide.minor, narrow.minor);
}
bool meets_devices(const DeviceRule& one, const DeviceRule& other) {
  return one.type == other.type && meets(one.major, other.major) && meets(one.minor, other.minor);
}
bool meets_access(const DeviceRule& one, const DeviceRule& other) {
  return (one.read && other.read) || (one.write && other.write) || (one.mknod && other.mknod);
}
bool empty(const DeviceRule& one) {
  return !one.read && !one.write && !one.mknod;
}
void take_access(DeviceRule& from, const DeviceRule& what) {
  from.read = from.read && !what.read;
  from.write = from.write && !what.write;
  from.mknod = from.mknod && !what.mknod;
}

std::string access_text(const DeviceRule& one) {
  return std::string(one.read ? "r" : "") + (one.write ? "w" : "") + (one.mknod ? "m" : "");
}
std::string number_text(const Number& number) {
  return number ? std::to_string(*number) : "*";
}

void append(DeviceList& list, DeviceRule next) {
  // What a later rule decides anyway need not be said before it.
  for (DeviceRule& earlier : list.rules)
    if (covers_devices(next, earlier)) take_access(earlier, next);
  std::erase_if(list.rules, empty);
  // What is said already, or what nobody has denied or allowed before, need not be said again.
  bool needed = next.allow != list.base;
  for (const DeviceRule& earlier : list.rules)
    if (earlier.allow != next.allow && meets_devices(earlier, next) && meets_access(earlier, next))
      needed = true;
  if (needed && !empty(next)) list.rules.push_back(next);
}

}  // namespace

DeviceList device_list(const std::vector<DeviceRule>& rules) {
  std::vector<DeviceRule> all = rules;
  append_defaults(all);
  DeviceList list;
  for (const DeviceRule& next : all) {
    if (next.type != DeviceRuleType::all) {
      append(list, next);
      continue;
    }
    if (!next.major && !next.minor && next.read && next.write && next.mknod) {
      list.base = next.allow;
      list.rules.clear();
      continue;
    }
    for (const DeviceRuleType type : {DeviceRuleType::character, DeviceRuleType::block}) {
      DeviceRule half = next;
      half.type = type;
      append(list, half);
    }
  }
  return list;
}

Result<std::vector<DeviceWrite>> device_writes(const DeviceList& list) {
  // The kernel keeps a base and a flat list of exceptions to it, all of the other kind.
  std::vector<DeviceRule> exceptions;
  for (const DeviceRule& next : list.rules) {
    if (next.allow != list.base) {
      exceptions.push_back(next);
      continue;
    }
    for (DeviceRule& earlier : exceptions) {
      if (!meets_devices(earlier, next) || !meets_access(earlier, next)) continue;
      if (!covers_devices(next, earlier))
        return spec::at(next.position,
                        make_error(Code::unsupported,
                                   "cgroup v1 cannot take a single device out of a device rule "
                                   "for many"));
      take_access(earlier, next);
    }
    std::erase_if(exceptions, empty);
  }
  std::vector<DeviceWrite> writes{{list.base, "a"}};
  for (const DeviceRule& exception : exceptions)
    writes.push_back({!list.base, std::string(exception.type == DeviceRuleType::block ? "b " : "c ") +
                                      number_text(exception.major) + ":" + number_text(exception.minor) +
                                      " " + access_text(exception)});
  return writes;
}

}  // namespace davit::cgroup
