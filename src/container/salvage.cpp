// SPDX-License-Identifier: Apache-2.0
#include "container/salvage.hpp"

#include "container/neighbours.hpp"
#include "container/open.hpp"
#include "davit/host/facts.hpp"

namespace davit::container {

namespace {

/// As create chose it, if it was called with the same options from the same cgroup.
Result<cgroup::Place> place_by_config(const Context& context, const Entry& entry) {
  Context unheard{context.store, context.cgroup_manager};
  const spec::Config config = TRY(stored_config(unheard, entry));
  const host::CgroupLayout layout = TRY(host::probe_cgroup_layout());
  // Engines name the manager at create only, but what they then write into the config has a form of its own.
  const bool is_unit = config.linux.cgroups_path.find(':') != std::string::npos;
  return cgroup::choose(config, entry.id(), layout,
                        is_unit ? cgroup::Manager::systemd : context.cgroup_manager);
}

Result<bool> holds_davit(const cgroup::Place& place) {
  host::CgroupLayout layout = TRY(host::probe_cgroup_layout());
  TRY(host::load_own_paths(layout));
  for (const host::Hierarchy& hierarchy : layout.hierarchies)
    for (const cgroup::Directory& directory : place.directories)
      if ((hierarchy.mount_point + hierarchy.own_path + "/").starts_with(directory.path + "/")) return true;
  return false;
}

Error left_behind(std::string_view why) {
  Text<768> message("processes and cgroups of it may be left: ");
  Error error = make_error(Code::system, message.append(why));
  return error.advise("look for them by the container's id: in /sys/fs/cgroup, and in the output of ps");
}

/// Only the record knew whether a group of that name was made for this container.
void doubt_resctrl_group(Context& context, const Entry& entry) {
  Context unheard{context.store, context.cgroup_manager};
  const auto config = stored_config(unheard, entry);
  if (!config.ok() || !config->linux.intel_rdt) return;
  const spec::IntelRdt& wanted = *config->linux.intel_rdt;
  if (!wanted.clos_id.empty() && !wanted.enable_monitoring) return;
  Error error = make_error(Code::system, "a resctrl group of it may be left");
  context.warnings.push_back(error.advise("look for " + entry.id() + " below /sys/fs/resctrl, and rmdir it"));
}

}  // namespace

Result<void> salvage(Context& context, const Entry& entry) {
  doubt_resctrl_group(context, entry);
  const auto doubt = [&](std::string_view why) {
    context.warnings.push_back(left_behind(why));
    return Result<void>();
  };
  const auto place = place_by_config(context, entry);
  if (!place.ok()) return doubt("its config does not tell where");
  if (TRY(holds_davit(*place))) return doubt("davit itself is where its config says");
  if (const auto others = who_else_is_in(context.store, entry.id(), *place); !others.empty())
    return doubt("by now " + others.front() + " is where its config says");
  const bool is_found = !TRY(cgroup::processes(*place)).empty();
  TRY(cgroup::remove(*place, context.warnings));
  return is_found ? Result<void>() : doubt("no process was found where its config says");
}

}  // namespace davit::container
