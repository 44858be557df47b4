// SPDX-License-Identifier: Apache-2.0
// What the tests of the rootfs compilation share: a config, and what it becomes in print.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "davit/features/rootfs.hpp"
#include "davit/program/printer.hpp"

namespace davit::rootfs {

using spec::NamespaceType;

inline SourceQueries fake_queries() {
  return {[](const std::string& path) { return !path.ends_with("missing"); },
          [](const std::string& path) -> Result<std::string> {
            return path.ends_with("link") ? std::string("/usr/there") : std::string();
          },
          [](const std::string& path) { return path == "/proc"; },
          [](const std::string& path) { return path == "/own"; }};
}

class RootfsCompile : public testing::Test {
 protected:
  RootfsCompile() {
    config.root.path = "rootfs";
    config.linux.namespaces = {{NamespaceType::mount, "", {}}};
  }

  void add(std::string destination, std::string type, std::string source, std::vector<std::string> options) {
    spec::Mount mount;
    mount.destination = std::move(destination);
    mount.type = std::move(type);
    mount.source = std::move(source);
    mount.options = std::move(options);
    config.mounts.push_back(std::move(mount));
  }
  void add_user_namespace() {
    config.linux.namespaces.push_back({NamespaceType::user, "", {}});
    config.linux.uid_mappings = {{0, 100000, 1000, {}}};
    config.linux.gid_mappings = {{0, 100000, 1000, {}}};
  }
  features::Compilation fresh() const {
    features::Call call;
    call.bundle = "/bundle";
    return features::Compilation(facts, call);
  }
  /// The printed operations of compile_tree and, after it, compile_seal.
  std::vector<std::string> all_lines() {
    features::Compilation out = fresh();
    auto sealing = compile_tree(out, config, cgroups, fake_queries());
    if (!sealing.ok()) return {"error: " + std::string(sealing.error().message.view())};
    EXPECT_TRUE(compile_seal(out, config, *sealing).ok());
    requests = out.requests;
    warnings = out.warnings.size();
    return printed(out);
  }
  /// What the entries of mounts[] become, once the root is attached; what comes before, and what init opens
  /// for binds, goes to `sources`.
  std::vector<std::string> lines() {
    std::vector<std::string> all = all_lines();
    const auto attached = std::find_if(
        all.begin(), all.end(), [](const std::string& line) { return line.starts_with("attach_root"); });
    if (attached == all.end()) return all;
    sources.assign(all.begin(), attached);
    all.erase(all.begin(), attached + 1);
    const auto is_source = [](const std::string& line) {
      return line.starts_with("open_tree") && line.find("/sys/fs/cgroup") == std::string::npos;
    };
    std::copy_if(all.begin(), all.end(), std::back_inserter(sources), is_source);
    std::erase_if(all, is_source);
    if (all.back() == "seal_root propagation=private recursive-propagation") all.pop_back();
    return all;
  }
  static std::vector<std::string> printed(features::Compilation& out) {
    std::vector<std::string> result;
    const program::Program program = out.builder.finish();
    program::for_each_operation(program.image, [&](const program::Operation& operation) {
      result.push_back(program::print_operation(program.image, operation));
    });
    return result;
  }

  spec::Config config;
  host::Facts facts;
  CgroupDirectories cgroups;
  std::vector<features::HostRequest> requests;
  std::vector<std::string> sources;
  std::size_t warnings = 0;
};

using Lines = std::vector<std::string>;

}  // namespace davit::rootfs
