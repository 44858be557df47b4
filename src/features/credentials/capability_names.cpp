// SPDX-License-Identifier: Apache-2.0
#include "features/credentials/capability_names.hpp"

#include <linux/capability.h>

#include <algorithm>
#include <iterator>

namespace davit::credentials {

namespace {

// A table of our own: a library for it would ask the kernel for the last one before main(), in every command.
constexpr std::string_view kNames[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
static_assert(std::size(kNames) > CAP_CHECKPOINT_RESTORE &&
              kNames[CAP_CHECKPOINT_RESTORE] == "CAP_CHECKPOINT_RESTORE");
static_assert(kNames[CAP_SYS_ADMIN] == "CAP_SYS_ADMIN" && kNames[CAP_SETFCAP] == "CAP_SETFCAP");

bool same_letters(std::string_view one, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace

std::span<const std::string_view> capability_names() {
  return kNames;
}

std::optional<int> capability_number(std::string_view name) {
  if (!name.starts_with("CAP_")) return std::nullopt;
  for (std::size_t number = 0; number < std::size(kNames); ++number)
    if (same_letters(name, kNames[number])) return static_cast<int>(number);
  return std::nullopt;
}

}  // namespace davit::credentials
