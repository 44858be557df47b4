// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "davit/features/lsm.hpp"

namespace davit::lsm {
namespace {

void emit_label(features::Compilation& out, const spec::Process& process, std::string_view member,
                std::string_view attribute, std::string_view fallback, std::string_view value) {
  program::WriteLabel operation;
  operation.proc = out.processes_slot();
  operation.attribute = out.builder.text(attribute);
  operation.fallback = out.builder.text(fallback);
  operation.value = out.builder.text(value);
  out.builder.emit(operation, out.origin(process.position, member));
}

Result<void> compile_apparmor(features::Compilation& out, const spec::Process& process) {
  const std::string& profile = process.apparmor_profile;
  if (profile.empty()) return {};
  if (!out.facts.apparmor) {
    // Engines write "unconfined" for privileged containers on every host: it asks for nothing.
    if (profile == "unconfined") return {};
    Error error = make_error(Code::unsupported,
                             "apparmor profile is specified in config, but apparmor is disabled or "
                             "not supported");
    error.advise("remove apparmorProfile, or boot with AppArmor (lsm=...,apparmor)");
    return spec::at(process.position, "apparmorProfile", error);
  }
  // proc(5), /proc/pid/attr: where LSMs are stacked, the plain attribute may belong to another module.
  emit_label(out, process, "apparmorProfile", "apparmor/exec", "exec", "exec " + profile);
  return {};
}

Result<void> compile_selinux(features::Compilation& out, const spec::Process& process) {
  const std::string& label = process.selinux_label;
  if (label.empty()) return {};
  if (!out.facts.selinux) {
    Error error = make_error(
        Code::unsupported, "selinux label is specified in config, but selinux is disabled or not supported");
    error.advise("remove selinuxLabel, or boot with SELinux");
    return spec::at(process.position, "selinuxLabel", error);
  }
  emit_label(out, process, "selinuxLabel", "exec", "", label);
  return {};
}

}  // namespace

Result<void> compile_labels(features::Compilation& out, const spec::Process& process) {
  TRY(compile_apparmor(out, process));
  return compile_selinux(out, process);
}

void explain_label_failure(const spec::Process& process, Error& error) {
  const std::string_view pointer = error.where.pointer;
  if (pointer.ends_with("/apparmorProfile")) {
    error.message = Text<768>("unable to apply apparmor profile ").append(process.apparmor_profile);
    if (error.errno_value == ENOENT) error.advise("the profile is not loaded (apparmor_parser -r FILE)");
  } else if (pointer.ends_with("/selinuxLabel")) {
    error.message = Text<768>("unable to apply selinux label ").append(process.selinux_label);
    if (error.errno_value == EINVAL) error.advise("the loaded policy does not know this label");
  }
}

}  // namespace davit::lsm
