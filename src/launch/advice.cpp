// SPDX-License-Identifier: Apache-2.0
// What to do about a failed operation, from what davit knows of the config and init does not.
#include <algorithm>
#include <cerrno>

#include "davit/program/mount_operations.hpp"
#include "davit/program/printer.hpp"
#include "davit/program/process_operations.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

using program::Detail;
using program::Op;

/// Where the tree in a slot comes from; empty: nobody knows.
std::string source_of(const plan::Plan& plan, program::Slot slot) {
  for (const features::HostRequest& request : plan.requests)
    if (request.kind == features::RequestKind::tree && request.slot == slot) return request.path;
  std::string found;
  program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
    if (operation.op != Op::open_tree) return;
    const auto& tree = static_cast<const program::OpenTree&>(operation);
    if (tree.tree == slot) found = program::text(plan.program.image, tree.path);
  });
  return found;
}

void name_source(const plan::Plan& plan, const program::Operation& operation, Error& error) {
  if (operation.op != Op::mount_tree) return;
  const std::string source = source_of(plan, static_cast<const program::MountTree&>(operation).tree);
  if (!source.empty()) error.message.append(" (the source is ").append(source).append(")");
  error.advise("a file can only be mounted on a file, a directory on a directory");
}

bool is_mapped(const std::vector<spec::IdMapping>& mappings, std::uint32_t id) {
  return std::any_of(mappings.begin(), mappings.end(), [id](const spec::IdMapping& mapping) {
    return id >= mapping.container_id && id - mapping.container_id < mapping.size;
  });
}

/// "uidMappings has 0-65535,100000"
std::string ranges_of(std::string_view key, const std::vector<spec::IdMapping>& mappings) {
  constexpr std::size_t kMost = 8;
  std::string text(key);
  text += " has ";
  for (std::size_t i = 0; i < std::min(mappings.size(), kMost); ++i) {
    if (i > 0) text += ",";
    text += std::to_string(mappings[i].container_id);
    if (mappings[i].size > 1) text += "-" + std::to_string(mappings[i].container_id + mappings[i].size - 1);
  }
  return text + (mappings.size() > kMost ? ",..." : "");
}

/// Ids that the user namespace does not have: the kernel only says EINVAL.
void explain_ids(const Subject& subject, Detail detail, Error& error) {
  if (subject.process == nullptr || error.errno_value != EINVAL) return;
  const spec::User& user = subject.process->user;
  const spec::Linux& config = subject.config.linux;
  const auto name = [&](std::string_view kind, std::uint32_t id, std::string_view key,
                        const std::vector<spec::IdMapping>& mappings) {
    if (mappings.empty() || is_mapped(mappings, id)) return;
    error.message.append(": ").append(kind).append(" ").append_number(id);
    error.message.append(" is not mapped into the container's user namespace");
    error.advise("linux." + ranges_of(key, mappings) + ": add the id there, or use one of these");
  };
  if (detail == Detail::set_uid) name("uid", user.uid, "uidMappings", config.uid_mappings);
  if (detail == Detail::set_gid) name("gid", user.gid, "gidMappings", config.gid_mappings);
  if (detail != Detail::set_groups) return;
  for (const std::uint32_t gid : user.additional_gids)
    if (!is_mapped(config.gid_mappings, gid)) return name("gid", gid, "gidMappings", config.gid_mappings);
}

bool has_path(const spec::Process& process) {
  return std::any_of(process.env.begin(), process.env.end(),
                     [](const std::string& entry) { return entry.starts_with("PATH="); });
}

/// Why a program that somebody has named is not there, or cannot be run.
void explain_program(const Subject& subject, Detail detail, Error& error) {
  if (subject.process == nullptr || subject.process->args.empty()) return;
  const spec::Process& process = *subject.process;
  const bool is_missing = detail == Detail::not_in_path || detail == Detail::no_such_file;
  const auto& mounts = subject.config.mounts;
  const bool is_hidden = std::any_of(mounts.begin(), mounts.end(),
                                     [](const spec::Mount& mount) { return mount.destination == "/"; });
  if (is_missing && is_hidden)
    error.advise("a mount on / hides all of the root filesystem: remove it from mounts");
  if (process.args.front().empty()) error.advise("args begins with an empty word: name the program");
  if (is_missing && process.args.size() == 1 && process.args.front().find(' ') != std::string::npos)
    error.advise(
        "this is one word with spaces in it; every argument is a string of its own: [\"sh\", \"-c\", ...]");
  if (detail == Detail::not_in_path && !has_path(process))
    error.advise("process.env has no PATH: add one, or name the program with its whole path");
  if (detail == Detail::not_in_path && error.message.view().ends_with("may not be executed"))
    error.advise("make it executable: chmod +x");
  if (detail == Detail::not_executable)
    error.advise(
        "make it executable in the container's root filesystem (chmod +x), also for the user that runs it");
  if (detail == Detail::is_directory) error.advise("args begins with a program, not with a directory");
}

/// What people forget about filesystems.
void explain_mount(const plan::Plan& plan, const program::Operation& operation, Detail detail, Error& error) {
  const auto& mount = static_cast<const program::MountFilesystem&>(operation);
  const std::string_view type = program::text(plan.program.image, mount.type);
  if (detail == Detail::open_filesystem && type == "procfs") error.advise("did you mean \"proc\"?");
  if (detail == Detail::open_filesystem)
    error.advise(
        "/proc/filesystems lists those of this kernel; the module of another one must be loaded before");
  if (type == "overlay" && error.errno_value == EINVAL)
    error.advise("an overlay wants the options lowerdir=, and to be written to also upperdir= and workdir=");
  if (error.errno_value == ENOTBLK)
    error.advise(
        "a filesystem on a disk is mounted from its device; for a file or directory use the option bind");
}

}  // namespace

void explain_failure(const plan::Plan& plan, const Subject& subject, const program::Message& message,
                     Error& error) {
  if (plan.program.image.empty()) return;
  const auto* operation = program::find_operation(plan.program.image, message.operation);
  if (operation == nullptr) return;
  const bool is_mixed =
      message.detail == Detail::file_on_directory || message.detail == Detail::directory_on_file;
  if (is_mixed) name_source(plan, *operation, error);
  if (operation->op == Op::mount_filesystem) explain_mount(plan, *operation, message.detail, error);
  if (operation->op == Op::open_console && message.detail == Detail::open_ptmx && message.error == ENOENT)
    error.advise("a terminal comes from a mount of type devpts on /dev/pts; `davit spec` writes one");
  if (operation->op == Op::become_user) explain_ids(subject, message.detail, error);
  if (operation->op == Op::find_program || operation->op == Op::execute)
    explain_program(subject, message.detail, error);
  if (operation->op == Op::enter_place && message.error == ENOTDIR)
    error.advise(
        "root.path is the directory that becomes / of the container; this is a file, or leads through one");
  if (operation->op == Op::set_memory_policy && message.error == EINVAL)
    error.advise(
        "the host may lack these nodes (see lscpu), or its kernel the mode: MPOL_WEIGHTED_INTERLEAVE "
        "needs Linux 6.9");
  if (operation->op == Op::set_scheduler && message.error == EINVAL)
    error.advise(
        "the kernel knows further bounds: see sched(7) and /proc/sys/kernel/sched_deadline_period_*");
}

}  // namespace davit::launch
