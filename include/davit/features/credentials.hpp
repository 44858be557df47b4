// SPDX-License-Identifier: Apache-2.0
// Who the container's process is: umask, ids, groups, capabilities, no_new_privs. The order of the operations
// is plan's: set_umask, drop_bounding, become_user, set_capabilities, no_new_privileges.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"

namespace davit::credentials {

/// process.user.umask, or the usual one.
void compile_umask(features::Compilation& out, const spec::Process& process);
/// process.capabilities.bounding. Without `capabilities` the process gets none at all, as with the peers.
/// Names that libcap or this kernel does not know become warnings, here and in compile_capabilities never.
void compile_bounding(features::Compilation& out, const spec::Process& process);
/// process.user.{uid,gid,additionalGids}; `config` is the container's, for its user namespace and the
/// annotation run.oci.keep_original_groups, which counts for users only: for root `is_user` is asked whether
/// this is but the root of a user namespace.
using IsUser = bool (*)();
void compile_user(features::Compilation& out, const spec::Config& config, const spec::Process& process,
                  IsUser is_user);
/// The four other sets. Ambient ones that are not also permitted and inheritable become warnings.
/// `holds_admin`: CAP_SYS_ADMIN stays until compile_release, for the one who loads a seccomp filter.
void compile_capabilities(features::Compilation& out, const spec::Process& process, bool holds_admin);
void compile_release(features::Compilation& out, const spec::Process& process);
/// process.noNewPrivileges; nothing when false.
void compile_no_new_privileges(features::Compilation& out, const spec::Process& process);

/// exec --cap: adds a capability to the bounding, effective and permitted sets, to the ambient set only if
/// the inheritable set has it, and never to the inheritable set (CVE-2022-29162). An unknown one becomes a
/// warning, as in a config.
void add_capability(spec::Process& process, std::string_view name);

/// Whether a process with these may trace others (ptrace(2)), or come to.
bool may_trace(const std::optional<spec::Capabilities>& sets);

/// Names of all capabilities that this build knows, in numeric order, for `features`.
std::vector<std::string> all_capabilities();

}  // namespace davit::credentials
