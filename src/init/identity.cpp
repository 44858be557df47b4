// SPDX-License-Identifier: Apache-2.0
// Who the container's process is and what it may do.
#include "init/context.hpp"

namespace davit::init {
namespace {

constexpr u32 kCapabilities = 64;

constexpr u64 bit(u32 number) {
  return u64{1} << number;
}

__user_cap_header_struct capability_header() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  return header;
}

Status read_capabilities(Capabilities& capabilities) {
  __user_cap_header_struct header = capability_header();
  __user_cap_data_struct data[2] = {};
  INIT_TRY(check(syscall(__NR_capget, &header, data), Detail::set_capabilities));
  capabilities.effective = data[0].effective | static_cast<u64>(data[1].effective) << 32;
  capabilities.permitted = data[0].permitted | static_cast<u64>(data[1].permitted) << 32;
  capabilities.inheritable = data[0].inheritable | static_cast<u64>(data[1].inheritable) << 32;
  return kDone;
}

/// `held` is effective and permitted too.
Status write_capabilities(const Capabilities& capabilities, u64 held = 0) {
  __user_cap_header_struct header = capability_header();
  const auto low = [](u64 mask) { return static_cast<u32>(mask); };
  const auto high = [](u64 mask) { return static_cast<u32>(mask >> 32); };
  __user_cap_data_struct data[2] = {
      {low(capabilities.effective | held), low(capabilities.permitted | held), low(capabilities.inheritable)},
      {high(capabilities.effective | held), high(capabilities.permitted | held),
       high(capabilities.inheritable)}};
  return check(syscall(__NR_capset, &header, data), Detail::set_capabilities);
}

/// Those of `wanted` that are in the bounding set.
u64 bounded(u64 wanted) {
  u64 result = 0;
  for (u32 number = 0; number < kCapabilities; ++number)
    if ((wanted & bit(number)) != 0 && syscall(__NR_prctl, PR_CAPBSET_READ, number, 0, 0, 0) == 1)
      result |= bit(number);
  return result;
}

/// Leaves out what we may not have.
Status limit(Capabilities& wanted, u64& held) {
  Capabilities own;
  INIT_TRY(read_capabilities(own));
  held &= own.permitted;
  wanted.permitted &= own.permitted;
  wanted.effective &= wanted.permitted;
  // Without CAP_SETPCAP, and beyond the bounding set, nothing can become inheritable that is not permitted.
  wanted.inheritable &= own.inheritable | bounded(wanted.inheritable & own.permitted);
  return kDone;
}

Status report_left_out(Context& context, const Operation& operation, u64 left_out, Detail detail) {
  if (left_out == 0) return kDone;
  context.message.value = left_out;
  return send(context, MessageType::capabilities_left, operation, {EPERM, detail});
}

}  // namespace

Status perform(Context& context, const program::SetUmask& operation) {
  INIT_TRY(check(syscall(__NR_umask, operation.mask)));
  context.is_umask_set = true;
  return kDone;
}

Status perform(Context& context, const program::DropBounding& operation) {
  for (u32 number = 0; number < kCapabilities; ++number) {
    // What davit takes for the last one is believed when the kernel knows of none behind it.
    if (number > operation.last && syscall(__NR_prctl, PR_CAPBSET_READ, number, 0, 0, 0) == -EINVAL)
      return kDone;
    if ((operation.keep & bit(number)) != 0) continue;
    const long dropped = syscall(__NR_prctl, PR_CAPBSET_DROP, number, 0, 0, 0);
    // Without CAP_SETPCAP: what is not there need not be dropped.
    if (dropped == 0 || syscall(__NR_prctl, PR_CAPBSET_READ, number, 0, 0, 0) == 0) continue;
    context.message.value = number;
    return check(dropped, Detail::drop_bounding);
  }
  return kDone;
}

namespace {
/// Who holds CAP_SETGID and is refused all the same lives in a user namespace that has denied setgroups.
bool is_denied_for_good() {
  Capabilities own;
  return !read_capabilities(own).failed() && (own.effective & bit(CAP_SETGID)) != 0;
}
}  // namespace

Status check_groups_unmapped(u32 gid) {
  constexpr u32 kUnmapped = 65534;  // what the kernel says of them, see user_namespaces(7)
  constexpr u32 kMost = 65536;      // NGROUPS_MAX
  const long count = syscall(__NR_getgroups, 0, nullptr);
  INIT_TRY(check(count, Detail::set_groups));
  if (count == 0) return kDone;
  const u64 size = kMost * sizeof(u32);
  const long mapped =
      syscall(__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  INIT_TRY(check(mapped, Detail::set_groups));
  const auto* groups = reinterpret_cast<const u32*>(mapped);
  const long got = syscall(__NR_getgroups, kMost, groups);
  Status status = check(got, Detail::set_groups);
  for (long i = 0; i < got; ++i)
    if (groups[i] != kUnmapped && groups[i] != gid) status = {EPERM, Detail::set_groups};
  INIT_TRY(check(syscall(__NR_munmap, mapped, size), Detail::set_groups));
  return status;
}

Status perform(Context& context, const program::BecomeUser& operation) {
  // The kernel takes the capabilities from who stops being root, and from nobody else.
  if (operation.uid != 0) INIT_TRY(check(syscall(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0), Detail::set_uid));
  if (operation.keep_groups == 0) {
    const View<u32> groups = context.items(operation.groups);
    const long set = syscall(__NR_setgroups, groups.count, groups.first);
    const bool may_be_denied =
        set == -EPERM && groups.count == 0 && (operation.allow_no_setgroups != 0 || is_denied_for_good());
    INIT_TRY(may_be_denied ? check_groups_unmapped(operation.gid) : check(set, Detail::set_groups));
  }
  if (context.is_root && operation.uid == 0 && operation.gid == 0) return kDone;  // nothing would change
  context.is_root = false;
  INIT_TRY(check(syscall(__NR_setresgid, operation.gid, operation.gid, operation.gid), Detail::set_gid));
  INIT_TRY(check(syscall(__NR_setresuid, operation.uid, operation.uid, operation.uid), Detail::set_uid));
  return guard(context);
}

Status perform(Context& context, const program::SetCapabilities& operation) {
  // What davit's caller had in its ambient set is not what the configuration says. capset(2) itself takes
  // from it what is not inheritable.
  if (operation.inheritable != 0) {
    const long cleared = syscall(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    INIT_TRY(check(cleared, Detail::raise_ambient));
  }
  const Capabilities wanted{operation.effective, operation.permitted, operation.inheritable};
  Capabilities granted = wanted;
  u64 held = operation.held;
  Status written = write_capabilities(granted, held);
  if (written.error == EPERM) {
    INIT_TRY(limit(granted, held));
    written = write_capabilities(granted, held);
  }
  INIT_TRY(written);
  context.granted = granted;
  u64 ambient = 0;
  for (u32 number = 0; number < kCapabilities; ++number) {
    if ((operation.ambient & bit(number)) == 0) continue;
    const long raised = syscall(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
    if (raised == -EPERM) continue;  // not held, or the securebits forbid it: left out, with a warning
    INIT_TRY(check(raised, Detail::raise_ambient));
    ambient |= bit(number);
  }
  // No guard again: capset(2) resets what guard sets only for who gains something (commit_creds).
  const u64 left_out = (wanted.permitted & ~granted.permitted) | (wanted.effective & ~granted.effective) |
                       (wanted.inheritable & ~granted.inheritable);
  INIT_TRY(report_left_out(context, operation, left_out, Detail::set_capabilities));
  return report_left_out(context, operation, operation.ambient & ~ambient, Detail::raise_ambient);
}

Status perform(Context& context, const program::ReleaseCapabilities& /*operation*/) {
  return write_capabilities(context.granted);
}

Status perform(Context& /*context*/, const program::NoNewPrivileges& /*operation*/) {
  return check(syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

}  // namespace davit::init
