// SPDX-License-Identifier: Apache-2.0
// What linux.resources means in files of a cgroup: pure translators, used by create and update alike.
#pragma once

#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/spec/resources.hpp"

namespace davit::cgroup {

/// One value for one file of one controller.
struct Setting {
  std::string controller;     ///< "memory"
  std::string file;           ///< "memory.max"
  std::string value;          ///< as the kernel wants it, without newline
  spec::Position position;    ///< of the object that asked for it,
  const char* below = "";     ///< and the member in it
  std::string other_file{};   ///< to be used where `file` does not exist; empty: none
  std::string other_value{};  ///< for other_file
  bool optional = false;      ///< nothing to do where the file does not exist
  bool keep_quota = false;    ///< cpu.max: the first word stays what it is
};

/// The settings for v1 hierarchies in writing order; what v1 cannot do is refused. Without devices.
Result<std::vector<Setting>> translate_v1(const spec::Resources& resources);
/// The settings for cgroup v2 in writing order; what v2 cannot do is refused. Without devices.
Result<std::vector<Setting>> translate_v2(const spec::Resources& resources);
/// cpu.weight that stands for cpu.shares: 2 -> 1, 1024 -> 100, 262144 -> 10000, along a curve between them.
std::uint64_t weight_of_shares(std::uint64_t shares);

}  // namespace davit::cgroup
