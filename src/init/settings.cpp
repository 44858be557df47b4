// SPDX-License-Identifier: Apache-2.0
// Values for the kernel: labels, sysctls, scheduling, memory policy.
#include <linux/sched/types.h>

#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u32 kIoprioWhoProcess = 1;  // linux/ioprio.h of some releases is no C++
constexpr u64 kProcRootInode = 1;
constexpr u64 kTrusted = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;

/// A procfs that nobody else can reach or mount over.
long make_proc(bool processes_only) {
  const SweptFd filesystem(syscall(__NR_fsopen, "proc", FSOPEN_CLOEXEC));
  if (!filesystem.is_open()) return -EPERM;
  if (processes_only) syscall(__NR_fsconfig, FdRef(filesystem), FSCONFIG_SET_STRING, "subset", "pid", 0);
  const long created = syscall(__NR_fsconfig, FdRef(filesystem), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (created < 0) return created;
  return syscall(__NR_fsmount, FdRef(filesystem), FSMOUNT_CLOEXEC,
                 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/// The root directory of a procfs, by type and by inode: not a directory of it bound here.
Status check_proc(FdRef directory) {
  struct statfs filesystem;
  INIT_TRY(check(syscall(__NR_fstatfs, directory, &filesystem), Detail::not_procfs));
  if (filesystem.f_type != PROC_SUPER_MAGIC) return {EINVAL, Detail::not_procfs};
  struct statx info;
  INIT_TRY(check(syscall(__NR_statx, directory, "", AT_EMPTY_PATH, STATX_INO, &info), Detail::not_procfs));
  return info.stx_ino == kProcRootInode ? kDone : Status{EINVAL, Detail::not_procfs};
}

/// The procfs that is to be seen at /proc, for what `path` names there.
Status open_visible(const char* path, Fd& file) {
  const Fd proc(
      syscall(__NR_openat, kWorkingDirectory, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!proc.is_open()) return {ENOENT, Detail::not_procfs};
  INIT_TRY(check_proc(proc));
  const long opened = open_below(proc, path, O_WRONLY | O_NOCTTY, kTrusted);
  file = Fd(opened);
  return check(opened, Detail::open_file);
}

/// Nobody can lead us astray in a procfs of our own. But one may be refused, and an LSM outside that goes by
/// paths takes its files for others and refuses to open them: there the visible procfs has to do.
Status open_file(FdRef own_proc, const char* path, Fd& file) {
  if (!own_proc.is_open()) return open_visible(path, file);
  const long opened = open_below(own_proc, path, O_WRONLY | O_NOCTTY, kTrusted);
  file = Fd(opened);
  if (opened == -EACCES || opened == -EPERM)
    if (!open_visible(path, file).failed()) return kDone;
  return check(opened, Detail::open_file);
}

Status write_value(const Context& context, FdRef own_proc, const char* path, Str value) {
  SweptFd file;
  INIT_TRY(open_file(own_proc, path, file));
  return check(syscall(__NR_write, FdRef(file), context.text(value), value.length), Detail::write_file);
}

/// A file of our own in procfs, by number: "self" is a symlink, and those are not followed here.
Status write_own(const Context& context, FdRef proc, const char* directory, const char* name, Str value) {
  char path[256];
  Writer writer(path);
  writer.add_number(static_cast<u64>(syscall(__NR_getpid))).add("/").add(directory).add(name);
  return writer.is_cut() ? Status{ENAMETOOLONG, Detail::open_file} : write_value(context, proc, path, value);
}

}  // namespace

Status perform(Context& context, const program::OpenProc& operation) {
  context.fill(operation.proc, Fd(make_proc(operation.processes_only != 0)));
  return kDone;
}

Status perform(Context& context, const program::SetTimeOffsets& operation) {
  // The files of an undumpable process belong to the real root, which we may not be.
  INIT_TRY(check(syscall(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)));
  const Status written = write_own(context, {}, "", "timens_offsets", operation.text);
  INIT_TRY(guard(context));
  return written;
}

Status perform(Context& context, const program::WriteSysctl& operation) {
  return write_value(context, context.slot(operation.proc), context.text(operation.path), operation.value);
}

Status perform(Context& context, const program::WriteLabel& operation) {
  const FdRef proc = context.slot(operation.proc);
  const Status status = write_own(context, proc, "attr/", context.text(operation.attribute), operation.value);
  if (status.error == ENOENT && operation.fallback.length > 0)
    return write_own(context, proc, "attr/", context.text(operation.fallback), operation.value);
  return status;
}

Status perform(Context& /*context*/, const program::SetScheduler& operation) {
  struct sched_attr attributes {};
  attributes.size = sizeof attributes;
  attributes.sched_policy = operation.policy;
  attributes.sched_flags = operation.flags;
  attributes.sched_nice = operation.nice;
  attributes.sched_priority = operation.priority;
  attributes.sched_runtime = operation.runtime;
  attributes.sched_deadline = operation.deadline;
  attributes.sched_period = operation.period;
  return check(syscall(__NR_sched_setattr, 0, &attributes, 0));
}

Status perform(Context& /*context*/, const program::SetIoPriority& operation) {
  return check(syscall(__NR_ioprio_set, kIoprioWhoProcess, 0, operation.value));
}

Status perform(Context& context, const program::SetMemoryPolicy& operation) {
  const View<u64> nodes = context.items(operation.nodes);
  const u64* mask = nodes.count > 0 ? nodes.first : nullptr;
  return check(syscall(__NR_set_mempolicy, operation.mode, mask, operation.max_node));
}

Status perform(Context& context, const program::SetAffinity& operation) {
  const View<u64> mask = context.items(operation.mask);
  if (mask.count == 0) {
    constexpr u32 kMostProcessors = 8192;  // NR_CPUS of the largest kernels
    u64 all[kMostProcessors / 64];
    for (u64& word : all) word = ~u64{0};
    return check(syscall(__NR_sched_setaffinity, 0, sizeof all, all));
  }
  return check(syscall(__NR_sched_setaffinity, 0, mask.count * sizeof(u64), mask.first));
}

Status perform(Context& /*context*/, const program::SetPersonality& operation) {
  return check(syscall(__NR_personality, operation.persona));
}

Status perform(Context& /*context*/, const program::SetLimit& operation) {
  const u64 values[2] = {operation.soft, operation.hard};  // struct rlimit64
  return check(syscall(__NR_prlimit64, 0, operation.resource, values, nullptr));
}

}  // namespace davit::init
