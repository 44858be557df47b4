// SPDX-License-Identifier: Apache-2.0
// Hosts on which somebody has bound a mount namespace to a file, as snapd does: recursive binds leave it out.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/fixture.hpp"

namespace support {
namespace {

/// Which of two namespaces is younger is told by their numbers, and since Linux 6.18 every CPU numbers its
/// own.
void stay_on_one_cpu() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) _exit(95);
}

/// In a mount namespace of one's own: binds one that is younger to `file`, and mounts a tmpfs at `directory`.
void bind_a_namespace(const std::string& file, const std::string& directory) {
  int ready[2];
  stay_on_one_cpu();
  if (unshare(CLONE_NEWNS) != 0 || pipe2(ready, O_CLOEXEC) != 0) _exit(99);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(98);
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) == 0 && write(ready[1], "r", 1) == 1) pause();
    _exit(97);
  }
  char byte = 0;
  if (read(ready[0], &byte, 1) != 1) _exit(97);
  const std::string theirs = "/proc/" + std::to_string(child) + "/ns/mnt";
  const bool bound = mount(theirs.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) == 0;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  if (!bound || mount("below", directory.c_str(), "tmpfs", 0, nullptr) != 0) _exit(96);
}

class BoundNamespaces : public ContainerTest {
 protected:
  BoundNamespaces() {
    chmod(source_.path().c_str(), 0755);
    make_dirs(source_ / "below");
    write_file(source_ / "bound", "");
  }
  Options on_that_host() {
    return {.in_child = [this] { bind_a_namespace(source_ / "bound", source_ / "below"); }};
  }
  /// What is mounted below /data, by the type of its filesystem.
  void expect_the_rest(Bundle& bundle, const std::string& options) {
    make_dirs(bundle.rootfs() + "/data");
    bundle.config["mounts"].push(mount_entry("/data", "bind", source_.path(), {options}));
    bundle.sh(R"(sed -n 's/.* \/data\/\([a-z]*\) .* - \([a-z]*\) .*/\1 \2/p' /proc/self/mountinfo)");
    const Outcome outcome = run_bundle(bundle, {}, on_that_host());
    EXPECT_EQ(outcome.out, "below tmpfs\n") << outcome.all();
  }

  TempDir source_{"b"};
};

TEST_F(BoundNamespaces, AreNoPartOfARecursiveBind) {
  Bundle bundle;
  expect_the_rest(bundle, "rbind");
}

// There davit itself copies the tree, and init, whose namespace is younger, mounts it.
TEST_F(BoundNamespaces, NorInAUserNamespace) {
  Bundle bundle;
  add_user_namespace(bundle.config);
  expect_the_rest(bundle, "rbind");
}

TEST_F(BoundNamespaces, NorOfWhatIsMountedLater) {
  SKIP_FOR("runc", "has no mounts");
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  const std::string file = source_ / "mounts.json";
  write_file(file, R"({"mounts": [{"destination": "/tmp", "type": "bind", "source": ")" + source_.path() +
                       R"(", "options": ["rbind"]}]})");
  const Outcome added = runtime({"mounts", "add", id, file}, on_that_host());
  ASSERT_TRUE(added.ok()) << added.all();
  const std::string mounts = exec(id, "cat /proc/self/mountinfo").out;
  EXPECT_NE(mounts.find(" /tmp/below "), std::string::npos) << mounts;
  EXPECT_EQ(mounts.find(" nsfs "), std::string::npos) << mounts;
}

}  // namespace
}  // namespace support
