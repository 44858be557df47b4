// SPDX-License-Identifier: Apache-2.0
#include "support/fixture.hpp"

#include <signal.h>

namespace support {
namespace {

/// What a configuration has that the usual one has not, a line each.
std::string changes(const Json& config, const Json& usual, const std::string& place = "") {
  if (!config.is_object() || !usual.is_object())
    return config == usual ? "" : "\n" + (place.empty() ? "/" : place) + ": " + config.dump();
  std::string text;
  for (const auto& [name, value] : config.members())
    text += changes(value, usual.get(name), place + "/" + name);
  for (const auto& [name, value] : usual.members())
    if (!config.has(name)) text += "\n" + place + "/" + name + " is missing";
  return text;
}

}  // namespace

ContainerTest::ContainerTest()
    : runtime(Runtime::path_under_test(), state_dir_.path()),
      before_(HostSnapshot::take(state_dir_.path())) {}

void ContainerTest::TearDown() {
  for (const auto& id : ids_) destroy(id);
  std::string leaked;
  // A cgroup or a process may need a moment to be gone after SIGKILL.
  eventually([&] {
    leaked = HostSnapshot::take(state_dir_.path()).leaked_since(before_);
    return leaked.empty();
  });
  EXPECT_TRUE(leaked.empty()) << "left behind:\n" << leaked;
  EXPECT_EQ(HostSnapshot::take(state_dir_.path()).lost_since(before_), "") << "taken away";
  for (const pid_t pid : descendants()) ::kill(pid, SIGKILL);
  reap_orphans();
}

std::string ContainerTest::line_of(const std::string& mountinfo, const std::string& destination) {
  std::string last;
  for (const auto& line : split(mountinfo, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() > 6 && fields[4] == destination) last = line;
  }
  return last;
}

std::string ContainerTest::new_id() {
  return ids_.emplace_back(Sandbox::get().new_id());
}

void ContainerTest::destroy(const std::string& id) {
  // A pid namespace does not end before we, to whom its orphans came, have taken their exit status.
  Child deletion = runtime.start({"delete", "--force", id});
  eventually([&] { return reap_orphans(), !alive(deletion.pid()); }, 60000);
  const Outcome outcome = deletion.wait();
  // Some call it an error that there is nothing to delete.
  EXPECT_TRUE(outcome.ok() || runtime.state(id).is_null()) << outcome.all();
  reap_orphans();
}

Outcome ContainerTest::run_bundle(Bundle& bundle, const std::vector<std::string>& flags,
                                  const Options& options) {
  bundle.write();
  std::vector<std::string> args = {"run", "--bundle", bundle.path()};
  args.insert(args.end(), flags.begin(), flags.end());
  args.push_back(new_id());
  return runtime(args, options);
}

Outcome ContainerTest::try_script(const Json& config, std::string_view script) {
  Bundle bundle(config);
  bundle.sh(script);
  return run_bundle(bundle);
}

std::string ContainerTest::output(const Json& config, std::string_view script) {
  const Outcome outcome = try_script(config, script);
  EXPECT_EQ(outcome.status, 0) << script << "\n" << outcome.all();
  return outcome.line();
}

std::string ContainerTest::create(Bundle& bundle, const std::vector<std::string>& flags,
                                  const Options& options) {
  bundle.write();
  std::vector<std::string> args = {"create", "--bundle", bundle.path()};
  args.insert(args.end(), flags.begin(), flags.end());
  std::string id = new_id();
  args.push_back(id);
  const Outcome outcome = runtime(args, options);
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  return id;
}

std::string ContainerTest::start(Bundle& bundle, const std::vector<std::string>& flags,
                                 const Options& options) {
  std::string id = create(bundle, flags, options);
  const Outcome outcome = runtime({"start", id});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  return id;
}

Outcome ContainerTest::exec(const std::string& id, std::string_view script,
                            const std::vector<std::string>& flags) {
  std::vector<std::string> args = {"exec"};
  args.insert(args.end(), flags.begin(), flags.end());
  args.insert(args.end(), {id, "/bin/sh", "-c", std::string(script)});
  return runtime(args);
}

std::string ContainerTest::refused(const Json& config) {
  Bundle bundle(config);
  return refused(bundle);
}

void ContainerTest::expect_clean_failure(const Outcome& outcome, const std::string& id,
                                         const HostSnapshot& before) {
  EXPECT_EQ(outcome.out, "") << "a failure prints nothing to stdout";
  expect_nothing_of(outcome, id, before);
}

void ContainerTest::expect_nothing_of(const Outcome& outcome, const std::string& id,
                                      const HostSnapshot& before) {
  EXPECT_TRUE(runtime.state(id).is_null()) << "a container that was refused has a state";
  std::string leaked;
  eventually([&] {
    leaked = HostSnapshot::take(state_dir_.path()).leaked_since(before);
    return leaked.empty();
  });
  EXPECT_TRUE(leaked.empty()) << "left behind by a create that failed: " << outcome.err << leaked;
}

std::string ContainerTest::refused(Bundle& bundle) {
  if (bundle.config.is_object()) bundle.write();
  const HostSnapshot before = HostSnapshot::take(state_dir_.path());
  const std::string id = new_id();
  const Outcome outcome = runtime({"create", "--bundle", bundle.path(), id});
  EXPECT_NE(outcome.status, 0) << "created, with"
                               << (bundle.config.is_object() ? changes(bundle.config, default_config())
                                                             : " a text that is no such document");
  if (outcome.ok()) return "";
  EXPECT_NE(trim(outcome.err), "") << "a failure says why";
  expect_clean_failure(outcome, id, before);
  return outcome.err;
}

bool is_runtime(const Runtime& runtime, std::string_view names) {
  if (!peers_are_excused()) return false;
  for (const auto& name : split(names, ','))
    if (trim(name) == runtime.name()) return true;
  return false;
}

}  // namespace support
