// SPDX-License-Identifier: Apache-2.0
// Mounts of a container that runs.
#include "container/open.hpp"

namespace davit::container {
namespace {

/// A container whose mounts are about to change.
struct Changing {
  Opened opened;
  sys::UniqueFd init;
  spec::Config config;
};

Result<Changing> open(Context& context, const std::string& id) {
  Opened opened = TRY(open_for(context, Operation::change_mounts, id));
  sys::UniqueFd init = TRY(open_init(opened.record.init));
  spec::Config config = TRY(stored_config(context, opened.entry));
  return Changing{std::move(opened), std::move(init), std::move(config)};
}

Result<void> apply(Context& context, Changing& changing, std::vector<spec::Mount> mounts, bool removes) {
  changing.config.mounts = std::move(mounts);
  const Record& record = changing.opened.record;
  return launch::change_mounts({.config = changing.config,
                                .id = record.id,
                                .bundle = record.bundle,
                                .rootfs = record.rootfs,
                                .container_pid = record.init.pid,
                                .container = changing.init,
                                .removes = removes},
                               context.warnings);
}

}  // namespace

Result<void> add_mounts(Context& context, const std::string& id, const std::vector<spec::Mount>& mounts) {
  Changing changing = TRY(open(context, id));
  std::vector<spec::Mount> done;
  for (const spec::Mount& mount : mounts) {
    const auto added = apply(context, changing, {mount}, false);
    if (!added.ok()) {
      auto undone = done.empty() ? Result<void>() : apply(context, changing, done, true);
      if (!undone.ok()) context.warnings.push_back(undone.error().wrap("what was mounted before stays"));
      return added;
    }
    done.push_back(mount);
  }
  return {};
}

Result<void> remove_mounts(Context& context, const std::string& id, const std::vector<spec::Mount>& mounts) {
  Changing changing = TRY(open(context, id));
  return apply(context, changing, mounts, true);
}

}  // namespace davit::container
