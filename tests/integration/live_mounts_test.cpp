// SPDX-License-Identifier: Apache-2.0
// `mounts add` and `mounts remove`: mounts of a container that runs.
#include <unistd.h>

#include <filesystem>

#include "support/fixture.hpp"

namespace support {
namespace {

#define NEEDS_MOUNTS() SKIP_FOR("runc", "has no mounts")

class LiveMounts : public ContainerTest {
 protected:
  LiveMounts() : bundle_(default_config()) { bundle_.args({"/bin/sleep", "1000"}); }

  Outcome change(const char* verb, const std::string& id, const std::string& mounts) {
    const std::string file = files_ / "mounts.json";
    write_file(file, R"({"mounts": [)" + mounts + "]}");
    return runtime({"mounts", verb, id, file});
  }
  std::string bind(const std::string& destination, const std::string& options = R"("bind")") {
    return R"({"destination": ")" + destination + R"(", "type": "bind", "source": ")" + files_.path() +
           R"(", "options": [)" + options + "]}";
  }

  TempDir files_{"m"};
  Bundle bundle_;
};

constexpr const char* kTmpfs =
    R"({"destination": "/new/dir", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "size=1m"]})";

TEST_F(LiveMounts, AreAddedAndRemoved) {
  NEEDS_MOUNTS();
  const std::string id = start(bundle_);
  const Outcome added = change("add", id, std::string(kTmpfs) + "," + bind("/tmp", R"("bind", "ro")"));
  ASSERT_TRUE(added.ok()) << added.all();
  const std::string mounts = exec(id, "cat /proc/self/mountinfo").out;
  EXPECT_NE(line_of(mounts, "/new/dir").find("nosuid"), std::string::npos) << mounts;
  EXPECT_NE(line_of(mounts, "/tmp").find(" ro"), std::string::npos) << mounts;
  EXPECT_TRUE(exec(id, "touch /new/dir/x && ! touch /tmp/x && test -e /tmp/mounts.json").ok());
  const Outcome removed = change("remove", id, std::string(kTmpfs) + "," + bind("/tmp"));
  ASSERT_TRUE(removed.ok()) << removed.all();
  const std::string after = exec(id, "cat /proc/self/mountinfo").out;
  EXPECT_EQ(line_of(after, "/new/dir") + line_of(after, "/tmp"), "") << after;
}

TEST_F(LiveMounts, TheListMayStandAlone) {
  NEEDS_MOUNTS();
  const std::string id = start(bundle_);
  const std::string file = files_ / "list.json";
  write_file(file, "[" + std::string(kTmpfs) + "]");
  const Outcome added = runtime({"mounts", "add", id, file});
  ASSERT_TRUE(added.ok()) << added.all();
  EXPECT_TRUE(exec(id, "grep -q ' /new/dir ' /proc/self/mountinfo").ok());
  write_file(file, "[\n 7]");
  const Outcome wrong = runtime({"mounts", "add", id, file});
  EXPECT_NE(wrong.status, 0);
  if (runtime.is_davit()) {
    EXPECT_NE(wrong.err.find("list.json:2:2"), std::string::npos) << wrong.err;
  }
}

TEST_F(LiveMounts, GoIntoAUserNamespace) {
  NEEDS_MOUNTS();
  SKIP_FOR("crun", "the owner of a tmpfs is nobody there");
  add_user_namespace(bundle_.config);
  const std::string id = start(bundle_);
  // Its root owns nothing in this rootfs, so that the places have to be there.
  const Outcome added =
      change("add", id, R"({"destination": "/etc", "type": "tmpfs", "source": "tmpfs"},)" + bind("/tmp"));
  ASSERT_TRUE(added.ok()) << added.all();
  EXPECT_TRUE(exec(id, "touch /etc/x && test -e /tmp/mounts.json").ok());
}

TEST_F(LiveMounts, GoToWhereTheContainersPathsLead) {
  NEEDS_MOUNTS();
  const std::string id = start(bundle_);
  const std::string outside = files_ / "outside";
  std::filesystem::create_directory(outside);
  ASSERT_TRUE(exec(id, "ln -s " + outside + " /leads; ln -s /etc /inside").ok());
  const Outcome added = change("add", id, bind("/leads") + "," + bind("/inside"));
  ASSERT_TRUE(added.ok()) << added.all();
  const std::string mounts = exec(id, "cat /proc/self/mountinfo").out;
  EXPECT_NE(line_of(mounts, outside), "") << "below the container's root: " << mounts;
  EXPECT_NE(line_of(mounts, "/etc"), "") << mounts;
  EXPECT_EQ(line_of(read_file("/proc/self/mountinfo"), outside), "") << "on the host";
}

TEST_F(LiveMounts, OfAReadOnlyTmpfsCanBeMountedInto) {
  NEEDS_MOUNTS();
  const std::string id = start(bundle_);
  const Outcome added =
      change("add", id, R"({"destination": "/ro", "type": "tmpfs", "source": "tmpfs", "options": ["ro"]})");
  ASSERT_TRUE(added.ok()) << added.all();
  EXPECT_FALSE(exec(id, "touch /ro/x").ok());
}

TEST_F(LiveMounts, LeaveNothingOfWhatFails) {
  SKIP_FOR("crun runc", "leaves the first one");
  const std::string id = start(bundle_);
  const std::string before = exec(id, "cat /proc/self/mountinfo").out;
  const Outcome added =
      change("add", id,
             std::string(kTmpfs) +
                 R"(,{"destination": "/tmp", "type": "bind", "source": "/no/such", "options": ["bind"]})");
  EXPECT_EQ(added.status, 1);
  EXPECT_NE(added.err.find("/mounts/1"), std::string::npos) << added.err;
  EXPECT_NE(added.err.find("find /no/such on the host"), std::string::npos) << added.err;
  EXPECT_EQ(exec(id, "cat /proc/self/mountinfo").out, before);
}

TEST_F(LiveMounts, OfDavitsOwnNamespacesAreRefused) {
  SKIP_FOR("crun runc", "does not look");
  const std::string id = start(bundle_);
  const Outcome proc = change("add", id, R"({"destination": "/mnt", "type": "proc", "source": "proc"})");
  EXPECT_EQ(proc.status, 1);
  EXPECT_NE(proc.err.find("can only be made with the container"), std::string::npos) << proc.err;
  const Outcome below = change("add", id, bind("/proc/self"));
  EXPECT_EQ(below.status, 1);
  EXPECT_NE(below.err.find("inside /proc"), std::string::npos) << below.err;
}

TEST_F(LiveMounts, ThatProtectAreNotReachedBySymlinks) {
  SKIP_FOR("crun runc", "follows them");
  const std::string id = start(bundle_);
  constexpr const char* kMount = R"({"destination": "/vol/sys", "type": "tmpfs", "source": "tmpfs"})";
  ASSERT_TRUE(change("add", id, kMount).ok());
  ASSERT_TRUE(exec(id, "mv /vol /old && ln -s /proc /vol").ok());
  const std::string before = exec(id, "cat /proc/self/mountinfo").out;
  ASSERT_NE(line_of(before, "/proc/sys").find(" ro,"), std::string::npos) << before;
  const Outcome removed = change("remove", id, kMount);
  EXPECT_EQ(removed.status, 1);
  EXPECT_NE(removed.err.find("a symlink leads there"), std::string::npos) << removed.err;
  const Outcome remounted = change("add", id,
                                   R"({"destination": "/vol/sys", "type": "none", "source": "none",
                 "options": ["remount", "bind", "rw"]})");
  EXPECT_EQ(remounted.status, 1);
  EXPECT_NE(remounted.err.find("a symlink leads there"), std::string::npos) << remounted.err;
  EXPECT_EQ(exec(id, "cat /proc/self/mountinfo").out, before);
  EXPECT_TRUE(change("remove", id, bind("/old/sys")).ok()) << "by its own name";
}

TEST_F(LiveMounts, DoNotGoWhereTheContainerCouldUndoTheirOptions) {
  SKIP_FOR("crun runc", "does not look");
  bundle_.sh("exec unshare -Um sh -c 'touch /made; exec sleep 1000'");
  const std::string id = start(bundle_);
  SKIP_UNLESS(eventually([&] { return exists(bundle_.rootfs() + "/made"); }),
              "no user namespace can be made in a container here");
  const Outcome added = change("add", id, bind("/tmp", R"("bind", "ro")"));
  EXPECT_EQ(added.status, 1);
  EXPECT_NE(added.err.find("a user namespace of its own"), std::string::npos) << added.err;
}

TEST_F(LiveMounts, DoNotGoBelowWhatInitMadeItsRoot) {
  SKIP_FOR("crun runc", "does not look");
  bundle_.sh("exec busybox chroot /bin /busybox sleep 1000");
  const std::string id = start(bundle_);
  Outcome removed;
  EXPECT_TRUE(eventually([&] {
    removed = change("remove", id, bind("/etc"));
    return removed.err.find("is not " + bundle_.rootfs()) != std::string::npos;
  })) << removed.err;
  EXPECT_EQ(removed.status, 1);
}

TEST_F(LiveMounts, CanHaveOtherOwners) {
  NEEDS_MOUNTS();
  SKIP_FOR("crun", "1.8.1 wants another spelling");
  const std::string id = start(bundle_);
  write_file(files_ / "file", "");
  ASSERT_EQ(::chown((files_ / "file").c_str(), 5, 6), 0);
  const Outcome added = change("add", id,
                               R"({"destination": "/tmp", "type": "bind", "source": ")" + files_.path() +
                                   R"(", "options": ["bind"],
                    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}],
                    "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]})");
  ASSERT_TRUE(added.ok()) << added.all();
  EXPECT_EQ(exec(id, "stat -c %u:%g /tmp/file").out, "1005:2006\n");
}

TEST_F(LiveMounts, ThatAreNotThereCannotBeRemoved) {
  SKIP_FOR("crun runc", "has other words");
  const std::string id = start(bundle_);
  const Outcome none = change("remove", id, bind("/etc"));
  EXPECT_EQ(none.status, 1);
  EXPECT_NE(none.err.find("unmount /etc: Invalid argument"), std::string::npos) << none.err;
  EXPECT_NE(none.err.find("nothing is mounted there"), std::string::npos) << none.err;
  const Outcome root = change("remove", id, bind("/"));
  EXPECT_NE(root.err.find("root itself"), std::string::npos) << root.err;
}

TEST_F(LiveMounts, NeedAContainerThatRuns) {
  SKIP_FOR("crun runc", "has other words");
  bundle_.args({"/bin/true"});
  const std::string id = start(bundle_);
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  const Outcome stopped = change("add", id, kTmpfs);
  EXPECT_EQ(stopped.status, 1);
  EXPECT_NE(stopped.err.find("container not running"), std::string::npos) << stopped.err;
  const Outcome verb = change("turn", id, kTmpfs);
  EXPECT_NE(verb.err.find("not \"turn\""), std::string::npos) << verb.err;
}

}  // namespace
}  // namespace support
