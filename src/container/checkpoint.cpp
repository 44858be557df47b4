// SPDX-License-Identifier: Apache-2.0
#include "davit/container/checkpoint.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "container/images.hpp"
#include "container/open.hpp"
#include "container/remove.hpp"
#include "davit/base/story.hpp"
#include "davit/criu/worker.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/rootfs.hpp"

namespace davit::container {

namespace {

constexpr std::size_t kMaximumMountinfo = 16u << 20;
constexpr const char* kLog = "dump.log";

/// A checkpoint on its way.
struct Checkpoint {
  const CheckpointCall& call;
  Opened opened;
  spec::Config config;
  sys::UniqueFd init;
  Images images;
};

std::string proc_of(const Checkpoint& checkpoint) {
  return "/proc/" + std::to_string(checkpoint.opened.record.init.pid);
}

/// Where something is that the container's links lead to, as the container sees it.
std::optional<std::string> resolve(const Checkpoint& checkpoint, const std::string& path) {
  const auto root = sys::RootFs::open(proc_of(checkpoint) + "/root");
  if (!root.ok()) return {};
  const auto file = root->open_at(sys::ContainerPath(path), O_PATH);
  if (!file.ok()) return {};
  auto name = sys::read_link("/proc/self/fd/" + std::to_string(file->number()));
  if (!name.ok()) return {};
  return std::move(*name);
}

/// The cgroup by which everything in the container is frozen.
std::string freezer_of(const cgroup::Place& place) {
  for (const cgroup::Directory& directory : place.directories) {
    const auto& names = directory.controllers;
    const bool is_freezer = place.mode == host::CgroupMode::v2
                                ? names.empty()
                                : std::find(names.begin(), names.end(), "freezer") != names.end();
    if (is_freezer) return directory.path;
  }
  return {};
}

Result<std::vector<std::string>> external_namespaces(const Checkpoint& checkpoint) {
  std::vector<std::string> result;
  for (const spec::Namespace& entry : checkpoint.config.linux.namespaces) {
    const bool is_network = entry.type == spec::NamespaceType::network;
    if (entry.path.empty() || (!is_network && entry.type != spec::NamespaceType::pid)) continue;
    // Not by the path of the config: it may lead to another one by now.
    const std::string path = proc_of(checkpoint) + "/ns/" + (is_network ? "net" : "pid");
    const struct stat status = TRY(sys::stat_at(sys::current_directory(), path));
    result.push_back(criu::external_namespace(entry.type, status.st_ino));
  }
  return result;
}

/// What restore will have to know besides the config: where mounts came from that it does not name.
Result<void> write_mounts(const Checkpoint& checkpoint, const std::vector<criu::ExternalMount>& unforeseen) {
  if (checkpoint.call.choices.pre_dump) return {};
  return sys::replace_file_at(checkpoint.images.directory, criu::kMountsFile, criu::mounts_json(unforeseen),
                              0600);
}

Result<criu::Options> options_of(const Checkpoint& checkpoint) {
  const Record& record = checkpoint.opened.record;
  criu::DumpFacts facts;
  facts.images_directory = checkpoint.images.directory.number();
  facts.work_directory = checkpoint.images.work_number();
  facts.pid = record.init.pid;
  facts.rootfs = record.rootfs;
  facts.freezer = freezer_of(record.cgroup);
  facts.namespaces = TRY(external_namespaces(checkpoint));
  const std::string mountinfo = TRY(sys::read_records(proc_of(checkpoint) + "/mountinfo", kMaximumMountinfo));
  const std::string hosts = TRY(sys::read_records("/proc/self/mountinfo", kMaximumMountinfo));
  criu::DumpedMounts mounts =
      criu::dumped_mounts(checkpoint.config, mountinfo, hosts,
                          [&](const std::string& path) { return resolve(checkpoint, path); });
  TRY(write_mounts(checkpoint, mounts.unforeseen));
  facts.mounts = std::move(mounts.external);
  return criu::dump_options(checkpoint.call.choices, record.annotations, std::move(facts));
}

/// What stdin, stdout and stderr were at first, so that restore can give pipes new ends: whatever the process
/// has there now, the caller's ends are still its.
Result<void> write_descriptors(const Checkpoint& checkpoint) {
  std::vector<std::string> names = checkpoint.opened.record.descriptors;
  if (names.empty())
    for (const char* number : {"0", "1", "2"})
      names.push_back(sys::read_link(proc_of(checkpoint) + "/fd/" + number).value_or({}));
  return sys::replace_file_at(checkpoint.images.directory, criu::kDescriptorsFile,
                              criu::descriptors_json(names), 0600);
}

Result<void> check_status_descriptor(int number) {
  if (number < 0) return {};
  const int flags = ::fcntl(number, F_GETFL);
  const std::string name = "invalid --status-fd " + std::to_string(number);
  if (flags < 0) return system_error(errno, name);
  if ((flags & O_ACCMODE) != O_RDONLY) return {};
  return make_error(Code::invalid_argument, name + ": it cannot be written");
}

Result<void> check_criu(const criu::Choices& choices) {
  TRY(criu::check_version(criu::oldest_for(choices)));
  if (choices.pre_dump) TRY(criu::check_features({.memory_tracking = true}));
  if (choices.lazy_pages) TRY(criu::check_features({.lazy_pages = true}));
  return {};
}

/// CRIU was told a number, which is another process's once init has been reaped: until it kills what it has
/// dumped, it can be kept from that.
Result<void> check_number_held(const Checkpoint& checkpoint) {
  if (!TRY(sys::wait_end(checkpoint.init, 0))) return {};
  return make_error(Code::wrong_state, "its init has ended while it was being dumped");
}

/// At the points of a dump: whoever waits for lazy pages is told that they can be had.
Result<void> notified(const Checkpoint& checkpoint, const criu::Response& notification) {
  story::tell(story::Actor::davit, "criu is at", notification.script);
  TRY(check_number_held(checkpoint));
  const criu::Choices& choices = checkpoint.call.choices;
  if (notification.script != "status-ready" || choices.status_descriptor < 0) return {};
  const sys::UniqueFd waiting = sys::UniqueFd::adopt(choices.status_descriptor);
  return sys::write_all(waiting, std::string_view("\0", 1));
}

Result<void> dump(const Checkpoint& checkpoint) {
  const criu::Choices& choices = checkpoint.call.choices;
  criu::Options options = TRY(options_of(checkpoint));
  if (!choices.pre_dump) TRY(write_descriptors(checkpoint));
  const story::Span span(story::Actor::davit, "criu", checkpoint.call.id);
  TRY(clear_log(checkpoint.images, kLog));
  criu::Worker worker = TRY(criu::Worker::start({}));
  const sys::Interruption interruption(worker.channel());
  const criu::Request request{.type = choices.pre_dump ? criu::Type::pre_dump : criu::Type::dump,
                              .options = std::move(options)};
  const auto response = worker.ask(request, [&](const criu::Response& notification, sys::UniqueFd /*none*/) {
    return notified(checkpoint, notification);
  });
  worker.end();
  if (!response.ok()) return failure_of(response.error(), "checkpoint it", checkpoint.images, kLog);
  if (response->success) return {};
  return failure_of(error_of(*response), "checkpoint it", checkpoint.images, kLog);
}

/// After a failure: what was begun is taken back, and the user learns how the container is.
Error after_failure(const Checkpoint& checkpoint, Error error) {
  const Record& record = checkpoint.opened.record;
  if (!checkpoint.call.choices.pre_dump)
    for (const char* file : {criu::kDescriptorsFile, criu::kMountsFile})
      (void)sys::unlink_at(checkpoint.images.directory, file);
  const auto ended = sys::wait_end(checkpoint.init, 0);
  if (ended.ok() && *ended) return error.wrap("the container has ended");
  // A CRIU that was killed leaves it frozen.
  if (checkpoint.opened.status != spec::Status::paused && cgroup::frozen(record.cgroup).value_or(false))
    (void)cgroup::thaw(record.cgroup);
  return error.wrap("the container still runs");
}

}  // namespace

Result<void> checkpoint(Context& context, const CheckpointCall& call) {
  const criu::Choices& choices = call.choices;
  TRY(check_status_descriptor(choices.status_descriptor));
  Opened opened = TRY(open_locked(context, Operation::checkpoint, call.id));
  spec::Config config = TRY(stored_config(context, opened.entry));
  sys::UniqueFd init = TRY(open_init(opened.record.init));
  TRY(check_criu(choices));
  Checkpoint checkpoint{call, std::move(opened), std::move(config), std::move(init),
                        TRY(open_images(choices, true))};
  const auto dumped = dump(checkpoint);
  if (!dumped.ok()) return after_failure(checkpoint, dumped.error());
  if (choices.pre_dump || choices.leave_running) return {};
  return destroy(context, checkpoint.opened.entry, checkpoint.opened.record, &checkpoint.config);
}

}  // namespace davit::container
