// SPDX-License-Identifier: Apache-2.0
// Namespaces of this machine: checked files, written mappings, and namespaces that only carry mappings.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "davit/features/namespaces.hpp"
#include "davit/features/rootfs.hpp"
#include "davit/features/sysctl.hpp"
#include "davit/sys/file.hpp"

namespace davit::namespaces {
namespace {

/// A child that waits in a new user namespace.
class Waiting {
 public:
  Waiting() {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    pid_ = fork();
    if (pid_ == 0) {
      if (unshare(CLONE_NEWUSER) != 0) _exit(1);
      (void)!write(ready[1], "x", 1);
      for (;;) pause();
    }
    close(ready[1]);
    char byte = 0;
    unshared_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
  }
  ~Waiting() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool unshared() const { return unshared_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string read_map(const char* name) const {
    return sys::read_file("/proc/" + std::to_string(pid_) + "/" + name).value_or("");
  }

 private:
  pid_t pid_ = -1;
  bool unshared_ = false;
};

TEST(NamespacesHost, OpensOnlyWhatIsOfTheRightType) {
  EXPECT_TRUE(open_namespace("/proc/self/ns/net", CLONE_NEWNET).ok());
  const auto other = open_namespace("/proc/self/ns/ipc", CLONE_NEWNET);
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().message.view().find("not a network namespace"), std::string::npos);
  const auto file = open_namespace("/proc/self/status", CLONE_NEWNET);
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.error().message.view().find("is not a namespace"), std::string::npos);
  EXPECT_EQ(open_namespace("/nowhere", CLONE_NEWNET).error().errno_value, ENOENT);
}

TEST(NamespacesHost, WritesMappings) {
  if (geteuid() != 0) GTEST_SKIP() << "mapping foreign ids needs root";
  const Waiting child;
  if (!child.unshared()) GTEST_SKIP() << "user namespaces are not available";
  const std::vector<spec::IdMapping> uids = {{0, 100000, 10, {}}, {10, 5, 1, {}}};
  const std::vector<spec::IdMapping> gids = {{0, 7, 1, {}}};
  ASSERT_TRUE(write_mappings(child.pid(), {uids, gids}, true).ok());
  EXPECT_NE(child.read_map("uid_map").find("100000         10"), std::string::npos)
      << child.read_map("uid_map");
  EXPECT_NE(child.read_map("gid_map").find(" 7          1"), std::string::npos) << child.read_map("gid_map");
  EXPECT_FALSE(write_mappings(child.pid(), {uids, gids}, true).ok()) << "mappings can be written only once";
}

TEST(NamespacesHost, MapsTheOwnIdWithoutHelpers) {
  const Waiting child;
  if (!child.unshared()) GTEST_SKIP() << "user namespaces are not available";
  const std::vector<spec::IdMapping> uids = {{0, geteuid(), 1, {}}};
  const std::vector<spec::IdMapping> gids = {{0, getegid(), 1, {}}};
  ASSERT_TRUE(write_mappings(child.pid(), {uids, gids}, false).ok());
  EXPECT_EQ(child.read_map("setgroups"), "deny\n");
}

TEST(NamespacesHost, MakesANamespaceThatOnlyCarriesMappings) {
  if (geteuid() != 0) GTEST_SKIP() << "mapping foreign ids needs root";
  const std::vector<spec::IdMapping> ids = {{0, 5000, 10, {}}};
  const auto made = make_idmap_namespace({ids, ids});
  if (!made.ok() && made.error().errno_value == ENOSPC) GTEST_SKIP() << "user namespaces are not available";
  ASSERT_TRUE(made.ok()) << made.error().message.c_str();
  struct stat own {};
  struct stat other {};
  ASSERT_EQ(stat("/proc/self/ns/user", &own), 0);
  ASSERT_EQ(fstat(made->number(), &other), 0);
  EXPECT_NE(own.st_ino, other.st_ino);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "the helper must be gone";
}

/// Who opens another file is killed.
void die_at_open() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {std::size(filter), filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(1);
}

TEST(NamespacesHost, WhoHoldsANamespaceEndsWithDavit) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const pid_t davit = fork();
  if (davit == 0) {
    die_at_open();  // that of uid_map: by then there is somebody in the namespace
    const std::vector<spec::IdMapping> ids = {{0, geteuid(), 1, {}}};
    _exit(make_idmap_namespace({ids, ids}).ok() ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(davit, &status, 0), davit);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) GTEST_SKIP() << "user namespaces are not available";
  EXPECT_TRUE(WIFSIGNALED(status)) << status;
  pid_t orphan = 0;
  for (int tries = 0; tries < 6000 && (orphan = waitpid(-1, &status, WNOHANG)) == 0; ++tries) usleep(10000);
  EXPECT_GT(orphan, 0) << "nobody held the namespace, or it does not end";
  // By the signal, or by itself where davit was gone before it could ask for that.
  EXPECT_TRUE(WIFEXITED(status) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) << status;
}

TEST(NamespacesHost, KnowsTheHostsNamespaces) {
  EXPECT_TRUE(sysctl::is_host_namespace("/proc/self/ns/net", spec::NamespaceType::network).value());
  EXPECT_FALSE(sysctl::is_host_namespace("/proc/self/ns/ipc", spec::NamespaceType::network).value());
  EXPECT_FALSE(sysctl::is_host_namespace("/nowhere", spec::NamespaceType::network).ok());
}

TEST(RootfsHost, AnswersAboutSources) {
  const rootfs::SourceQueries queries = rootfs::host_queries();
  EXPECT_TRUE(queries.exists("/proc"));
  EXPECT_FALSE(queries.exists("/nowhere"));
  EXPECT_EQ(*queries.link("/proc"), "");
  EXPECT_NE(*queries.link("/proc/self"), "");
  EXPECT_TRUE(queries.is_procfs("/proc"));
  EXPECT_FALSE(queries.is_procfs("/"));
}

}  // namespace
}  // namespace davit::namespaces
