// SPDX-License-Identifier: Apache-2.0
#include "davit/spec/features.hpp"

#include "davit/json/writer.hpp"
#include "davit/spec/state.hpp"
#include "spec/words.hpp"

namespace davit::spec {
namespace {

/// Members of an object that opens with its first member, so that an unknown one is left out as a whole.
class Section {
 public:
  Section(json::Writer& writer, std::string_view name) : writer_(writer), name_(name) {}
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  ~Section() {
    if (open_) writer_.end_object();
  }
  void flag(std::string_view key, const std::optional<bool>& value) {
    if (value) member(key).boolean(*value);
  }
  void list(std::string_view key, const FeatureList& value) {
    if (value) member(key).strings(*value);
  }

 private:
  json::Writer& member(std::string_view key) {
    if (!open_) writer_.key(name_).begin_object();
    open_ = true;
    return writer_.key(key);
  }
  json::Writer& writer_;
  std::string_view name_;
  bool open_ = false;
};

void write_list(json::Writer& writer, std::string_view key, const FeatureList& list) {
  if (list) writer.key(key).strings(*list);
}

void write_enabled(json::Writer& writer, std::string_view name, const std::optional<bool>& enabled) {
  Section(writer, name).flag("enabled", enabled);
}

void write_cgroup(json::Writer& writer, const CgroupFeatures& cgroup) {
  Section section(writer, "cgroup");
  section.flag("v1", cgroup.v1);
  section.flag("v2", cgroup.v2);
  section.flag("systemd", cgroup.systemd);
  section.flag("systemdUser", cgroup.systemd_user);
  section.flag("rdma", cgroup.rdma);
}

void write_seccomp(json::Writer& writer, const SeccompFeatures& seccomp) {
  Section section(writer, "seccomp");
  section.flag("enabled", seccomp.enabled);
  section.list("actions", seccomp.actions);
  section.list("operators", seccomp.operators);
  section.list("archs", seccomp.archs);
  section.list("knownFlags", seccomp.known_flags);
  section.list("supportedFlags", seccomp.supported_flags);
}

void write_linux(json::Writer& writer, const LinuxFeatures& linux) {
  writer.key("linux").begin_object();
  write_list(writer, "namespaces", linux.namespaces);
  write_list(writer, "capabilities", linux.capabilities);
  write_cgroup(writer, linux.cgroup);
  write_seccomp(writer, linux.seccomp);
  write_enabled(writer, "apparmor", linux.apparmor);
  write_enabled(writer, "selinux", linux.selinux);
  {
    Section section(writer, "intelRdt");
    section.flag("enabled", linux.intel_rdt.enabled);
    section.flag("schemata", linux.intel_rdt.schemata);
    section.flag("monitoring", linux.intel_rdt.monitoring);
  }
  {
    Section section(writer, "memoryPolicy");
    section.list("modes", linux.memory_policy.modes);
    section.list("flags", linux.memory_policy.flags);
  }
  if (linux.idmap) {
    writer.key("mountExtensions").begin_object();
    write_enabled(writer, "idmap", linux.idmap);
    writer.end_object();
  }
  write_enabled(writer, "netDevices", linux.net_devices);
  writer.end_object();
}

template <typename E>
FeatureList words_as_list(E kind) {
  std::vector<std::string> list;
  for (const Word<E>& word : words_of(kind).list) list.emplace_back(word.text);
  return list;
}

}  // namespace

Features reader_features() {
  Features features;
  features.oci_version_min = kOciVersionMin;
  features.oci_version_max = kOciVersion;
  features.hooks = {"prestart",       "createRuntime", "createContainer",
                    "startContainer", "poststart",     "poststop"};
  features.linux.namespaces = words_as_list(NamespaceType{});
  features.linux.seccomp.actions = words_as_list(SeccompAction{});
  features.linux.seccomp.operators = words_as_list(SeccompOperator{});
  features.linux.seccomp.known_flags = words_as_list(SeccompFlag{});
  std::vector<std::string> architectures;
  for (const std::string_view name : seccomp_architectures()) architectures.emplace_back(name);
  features.linux.seccomp.archs = std::move(architectures);
  features.linux.memory_policy.modes = words_as_list(MemoryPolicyMode{});
  features.linux.memory_policy.flags = words_as_list(MemoryPolicyFlag{});
  return features;
}

std::string features_json(const Features& features) {
  json::Writer writer(json::Style::pretty);
  writer.begin_object();
  writer.key("ociVersionMin").string(features.oci_version_min);
  writer.key("ociVersionMax").string(features.oci_version_max);
  write_list(writer, "hooks", features.hooks);
  write_list(writer, "mountOptions", features.mount_options);
  write_linux(writer, features.linux);
  if (!features.annotations.empty()) {
    writer.key("annotations").begin_object();
    for (const auto& [key, value] : features.annotations) writer.key(key).string(value);
    writer.end_object();
  }
  write_list(writer, "potentiallyUnsafeConfigAnnotations", features.potentially_unsafe_config_annotations);
  writer.end_object();
  return writer.take() + "\n";
}

}  // namespace davit::spec
