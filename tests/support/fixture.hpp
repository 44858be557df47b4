// SPDX-License-Identifier: Apache-2.0
// The fixture of all tests that run containers: everything made in a test is gone after it, or the test
// fails.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/bundle.hpp"
#include "support/process.hpp"
#include "support/runtime.hpp"
#include "support/sandbox.hpp"
#include "support/snapshot.hpp"

namespace support {

class ContainerTest : public ::testing::Test {
 protected:
  ContainerTest();
  void TearDown() override;

  /// A new id; whatever container has it is deleted by force at the end of the test.
  std::string new_id();
  /// The line of a /proc/self/mountinfo about that destination (the last one); empty: there is none.
  static std::string line_of(const std::string& mountinfo, const std::string& destination);
  /// Writes the bundle and runs it in the foreground.
  Outcome run_bundle(Bundle& bundle, const std::vector<std::string>& flags = {}, const Options& options = {});
  /// Runs a configuration with that shell script in a new bundle; expects success and gives stdout, trimmed.
  std::string output(const Json& config, std::string_view script);
  /// The same without expecting success.
  Outcome try_script(const Json& config, std::string_view script);
  /// Writes the bundle and creates a container of it; expects success, and gives its id.
  std::string create(Bundle& bundle, const std::vector<std::string>& flags = {}, const Options& options = {});
  /// create and start
  std::string start(Bundle& bundle, const std::vector<std::string>& flags = {}, const Options& options = {});
  /// `exec` of a shell script in a running container.
  Outcome exec(const std::string& id, std::string_view script, const std::vector<std::string>& flags = {});
  /// Expects that `create` and `run` of this configuration fail, leave nothing behind, and gives stderr of
  /// create.
  std::string refused(const Json& config);
  std::string refused(Bundle& bundle);
  /// What refused() expects of a `create` that failed: a message, and nothing else.
  virtual void expect_clean_failure(const Outcome& outcome, const std::string& id,
                                    const HostSnapshot& before);
  /// No state, and nothing on the host.
  void expect_nothing_of(const Outcome& outcome, const std::string& id, const HostSnapshot& before);
  /// Where the cgroup of that configuration's container is; use with `config["linux"]["cgroupsPath"]`.
  static std::string cgroup_path(const std::string& id) { return "/" + id; }
  /// Ends a container by force, as a test does that wants to look at what remains.
  void destroy(const std::string& id);

  TempDir state_dir_{"s"};
  Runtime runtime;

 private:
  HostSnapshot before_;
  std::vector<std::string> ids_;
};

/// True if one of the named runtimes is under test.
bool is_runtime(const Runtime& runtime, std::string_view names);

}  // namespace support

/// For what a peer is known not to do as it should (or lacks).
#define SKIP_FOR(names, why) \
  if (::support::is_runtime(runtime, names)) GTEST_SKIP() << runtime.name() << ": " << why
#define SKIP_UNLESS(condition, why) \
  if (!(condition)) GTEST_SKIP() << why
