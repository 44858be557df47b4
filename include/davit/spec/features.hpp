// SPDX-License-Identifier: Apache-2.0
// The document of `davit features` (features.md, features-linux.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "davit/spec/config.hpp"

namespace davit::spec {

/// An absent list is left out ("unknown"), an empty one is written as [] ("none"); so for booleans.
using FeatureList = std::optional<std::vector<std::string>>;

struct CgroupFeatures {
  std::optional<bool> v1, v2, systemd, systemd_user, rdma;
};

struct SeccompFeatures {
  std::optional<bool> enabled;
  FeatureList actions, operators, archs, known_flags, supported_flags;
};

struct IntelRdtFeatures {
  std::optional<bool> enabled, schemata, monitoring;
};

struct MemoryPolicyFeatures {
  FeatureList modes, flags;
};

struct LinuxFeatures {
  FeatureList namespaces;
  FeatureList capabilities;
  CgroupFeatures cgroup;
  SeccompFeatures seccomp;
  std::optional<bool> apparmor;  ///< apparmor.enabled
  std::optional<bool> selinux;   ///< selinux.enabled
  IntelRdtFeatures intel_rdt;
  MemoryPolicyFeatures memory_policy;
  std::optional<bool> idmap;        ///< mountExtensions.idmap.enabled
  std::optional<bool> net_devices;  ///< netDevices.enabled
};

struct Features {
  std::string oci_version_min;
  std::string oci_version_max;
  FeatureList hooks;
  FeatureList mount_options;
  LinuxFeatures linux;
  Annotations annotations;
  FeatureList potentially_unsafe_config_annotations;
};

/// What the reader knows: versions, hook kinds, namespace types, seccomp names, memory policies. Mount
/// options, capabilities and what this build and host support are for others to add.
Features reader_features();

/// The document, pretty-printed, with a newline at its end.
std::string features_json(const Features& features);

}  // namespace davit::spec
