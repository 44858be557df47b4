// SPDX-License-Identifier: Apache-2.0
// What a container could reach of the host through what the runtime itself put there.
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks/attack.hpp"

namespace support {
namespace {

/// Everything of the inodes of the host that containers borrow, but their times.
std::string borrowed() {
  std::string text;
  for (const char* path :
       {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}) {
    struct stat status {};
    if (lstat(path, &status) != 0) continue;
    text += std::string(path) + " " + std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) +
            ":" + std::to_string(status.st_gid) + "\n";
  }
  return text;
}

class HostsThings : public Attack {
 protected:
  HostsThings() : borrowed_(borrowed()) {}
  void TearDown() override {
    EXPECT_EQ(borrowed(), borrowed_) << "a device of the host was changed";
    // Another test, and this machine, need them as they were.
    for (const char* path :
         {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"})
      if (chmod(path, 0666) != 0 || chown(path, 0, 0) != 0) ADD_FAILURE() << path;
    Attack::TearDown();
  }

 private:
  std::string borrowed_;
};

constexpr const char* kChange =
    R"(for f in $(cat /list); do chmod 600 $f; chown 1000:1000 $f; chmod 4755 $f; done;
                                   true) 2>/dev/null)";

TEST_F(HostsThings, MaskedFilesAreNoWayToTheNullDevice) {
  SKIP_FOR("runc,crun", "their masks are the host's device, writable");
  Bundle bundle;
  bundle.config["linux"]["maskedPaths"] = Json::array({"/proc/keys", "/proc/timer_list", "/etc/group"});
  write_file(bundle.rootfs() + "/list", "/proc/keys /proc/timer_list /etc/group");
  bundle.sh("(" + std::string(kChange));
  EXPECT_EQ(run_bundle(bundle).status, 0);
}

/// Engines have /dev/null for stdio, and hand it on.
TEST_F(HostsThings, StdioIsNoWayToTheNullDevice) {
  SKIP_FOR("runc,crun", "they hand on the host's descriptor, to exec at least");
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const Options with_null{.fds = {{null.get(), 0}, {null.get(), 1}, {null.get(), 2}}};
  struct stat host {};
  ASSERT_EQ(fstat(null.get(), &host), 0);
  Bundle bundle;
  write_file(bundle.rootfs() + "/list", "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2");
  const std::string script =
      "(" + std::string(kChange) + "; stat -L -c %d /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 >>/seen";
  bundle.sh(script);
  EXPECT_EQ(run_bundle(bundle, {}, with_null).status, 0);
  bundle.sh(script + "; while :; do sleep 1; done");
  const std::string id = start(bundle, {}, with_null);
  EXPECT_EQ(runtime({"exec", id, "/bin/sh", "-c", script}, with_null).status, 0);
  const auto seen = [&] { return split(trim(read_file(bundle.rootfs() + "/seen")), '\n'); };
  ASSERT_TRUE(eventually([&] { return seen().size() == 9; })) << seen().size();
  for (const std::string& device : seen())
    EXPECT_NE(device, std::to_string(host.st_dev)) << "a descriptor of the host's node";
}

TEST_F(HostsThings, DevicesAreNoWayToTheHosts) {
  for (const bool user : {false, true}) {
    Json config = default_config();
    if (user) add_user_namespace(config);
    Bundle bundle(config);
    write_file(bundle.rootfs() + "/list",
               "/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/console /dev/ptmx");
    bundle.sh("(" + std::string(kChange));
    run_bundle(bundle);
  }
}

TEST_F(HostsThings, AKeyringOfThatNameIsNotJoined) {
  SKIP_FOR("runc,crun", "they join whatever has the name");
  Bundle bundle;
  bundle.args({"/bin/probe", "keyring"});
  bundle.write();
  const std::string id = new_id();
  int ready[2];
  int leave[2];
  ASSERT_EQ(pipe(ready) + pipe(leave), 0);
  const pid_t other = fork();
  if (other == 0) {
    close(leave[1]);
    char byte = 0;
    if (setresuid(4321, 4321, 4321) != 0) _exit(1);
    const long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, id.c_str());
    syscall(SYS_keyctl, KEYCTL_SETPERM, ring, 0x3f3f3f3f);
    if (write(ready[1], "", 1) == 1 && read(leave[0], &byte, 1) == 0) _exit(0);
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const Outcome outcome = runtime({"run", "--bundle", bundle.path(), id});
  for (const int fd : {ready[0], ready[1], leave[0], leave[1]}) close(fd);
  waitpid(other, nullptr, 0);
  EXPECT_TRUE(outcome.out.find(";4321;") == std::string::npos) << outcome.all();
  EXPECT_TRUE(!outcome.ok() || outcome.out.find("keyring;0;") != std::string::npos) << outcome.all();
}

TEST_F(HostsThings, SomebodyElsesStateDirectoryIsLeftAlone) {
  SKIP_FOR("runc,crun", "they keep other records");
  const std::string id = new_id();
  make_dirs(state_dir_ / (id + "/mine"));
  write_file(state_dir_ / (id + "/mine/file"), "mine");
  make_dirs(state_dir_ / "@mine");
  write_file(state_dir_ / "@mine/file", "mine");
  const std::string mine = fingerprint(state_dir_ / id) + fingerprint(state_dir_ / "@mine/file");
  Bundle bundle;
  bundle.write();
  for (const auto& words : {std::vector<std::string>{"create", "--bundle", bundle.path(), id},
                            {"run", "--bundle", bundle.path(), id},
                            {"list"},
                            {"delete", "--force", id}})
    runtime(words);
  EXPECT_EQ(fingerprint(state_dir_ / id) + fingerprint(state_dir_ / "@mine/file"), mine);
  remove_tree(state_dir_ / id);
  remove_tree(state_dir_ / "@mine");
}

TEST_F(HostsThings, SomebodyElsesRecordIsNotBelieved) {
  SKIP_FOR("runc,crun", "they believe any");
  SKIP_UNLESS(::geteuid() == 0, "only root can be somebody else");
  TempDir notes;
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  const std::string note = "echo hook >>" + (notes / "hook");
  bundle.config["hooks"]["poststop"].push(
      Json::object({{"path", "/bin/sh"}, {"args", Json(std::vector<std::string>{"sh", "-c", note})}}));
  const std::string id = start(bundle);
  const std::string directory = state_dir_ / id;
  ASSERT_EQ(::chown(directory.c_str(), 4321, 4321), 0);
  for (const auto& words : {std::vector<std::string>{"delete", "--force", id},
                            {"kill", id, "KILL"},
                            {"exec", id, "true"},
                            {"pause", id},
                            {"state", id},
                            {"explain", id}}) {
    const Outcome outcome = runtime(words);
    EXPECT_NE(outcome.status, 0) << words.front();
    EXPECT_NE(outcome.err.find("belongs to uid 4321"), std::string::npos) << outcome.all();
  }
  EXPECT_EQ(runtime({"list", "--quiet"}).out.find(id), std::string::npos);
  ASSERT_EQ(::chown(directory.c_str(), 0, 0), 0);
  EXPECT_EQ(runtime.status(id), "running");
  ASSERT_EQ(::chmod(directory.c_str(), 01720), 0);
  EXPECT_NE(runtime({"kill", id, "KILL"}).err.find("can be written by others"), std::string::npos);
  ASSERT_EQ(::chmod(directory.c_str(), 01700), 0);
  EXPECT_FALSE(exists(notes / "hook"));
  destroy(id);
  EXPECT_TRUE(exists(notes / "hook"));
}

TEST_F(HostsThings, ABundleNamedLikeTheIdSurvives) {
  Bundle bundle;
  bundle.write();
  const std::string place = bundle.path().substr(0, bundle.path().rfind('/'));
  const std::string id = bundle.path().substr(place.size() + 1);
  const Runtime there(runtime.path(), place);
  there({"run", "--bundle", bundle.path(), id});
  there({"delete", "--force", id});
  EXPECT_TRUE(exists(bundle.path() + "/config.json"));
  EXPECT_TRUE(exists(bundle.rootfs() + "/bin/busybox"));
}

}  // namespace
}  // namespace support
