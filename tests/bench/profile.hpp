// SPDX-License-Identifier: Apache-2.0
// The seccomp profile of the podman-like bundle: read from seccomp.list, written out for config.json, and
// compiled into the filter that the floor loads.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

namespace davit::bench {

// One comparison of a whole 64-bit argument.
struct Condition {
  unsigned index;
  bool equal;
  uint64_t value;
};

// One group: what happens to these system calls if all conditions hold.
struct Rule {
  bool allow;
  unsigned error;
  std::vector<Condition> conditions;
  std::vector<std::string> names;
};

using Profile = std::vector<Rule>;

// Reads seccomp.list; ends the program with a message if the file is not as expected.
Profile read_profile(const std::string& path);

// The value of linux.seccomp in config.json.
std::string profile_json(const Profile& profile);

// A search tree per architecture (x86_64, x86, x32) instead of a list of comparisons; names that libseccomp
// does not know for an architecture are left out there. Ends the program where a jump would not fit.
std::vector<sock_filter> compile_filter(const Profile& profile);

// Compares the tree with what libseccomp makes of the same profile, by emulating both for every number of
// every architecture and for the argument values around those of the conditions; returns the number of
// differences.
unsigned compare_with_libseccomp(const Profile& profile, const std::vector<sock_filter>& filter);

}  // namespace davit::bench
