// SPDX-License-Identifier: Apache-2.0
// davit doctor on this machine: it tries, tells, and leaves nothing behind.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <filesystem>

#include "support/fixture.hpp"

namespace support {
namespace {

namespace fs = std::filesystem;

class Doctor : public ContainerTest {
 protected:
  void SetUp() override { SKIP_UNLESS(runtime.is_davit(), "only davit has this command"); }
};

/// The cgroups of all hierarchies that the doctor makes for a moment.
std::vector<std::string> leftovers() {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator at("/sys/fs/cgroup", error), end; at != end; at.increment(error))
    if (at->path().filename().string().starts_with("davit-doctor-")) found.push_back(at->path());
  return found;
}

/// Every system call but this one.
void forbid(long call) {
  sock_filter program[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<unsigned>(call)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog filter = {4, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

TEST_F(Doctor, FindsThisMachineFit) {
  const Outcome outcome = runtime({"doctor"});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_NE(outcome.out.find("mount namespace"), std::string::npos) << outcome.out;
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Doctor, FindsEveryViewOfCgroupsFit) {
  for (const View view : {View::v1, View::v2}) {
    if (!missing(view).empty()) continue;
    runtime.view = view;
    const Outcome outcome = runtime({"doctor"});
    EXPECT_EQ(outcome.status, 0) << outcome.all();
    EXPECT_NE(outcome.out.find("a cgroup was made and removed"), std::string::npos) << outcome.out;
  }
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Doctor, SaysWhereNoContainerCanRun) {
  Options options;
  options.in_child = [] { forbid(SYS_unshare); };
  const Outcome outcome = runtime({"doctor"}, options);
  EXPECT_EQ(outcome.status, 1) << outcome.all();
  EXPECT_NE(outcome.out.find("NO: unshare: Operation not permitted"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("remedy: "), std::string::npos) << outcome.out;
}

TEST_F(Doctor, IsJsonForPrograms) {
  const auto json = Json::try_parse(runtime({"doctor", "--json"}).out);
  ASSERT_TRUE(json);
  EXPECT_GT(json->get("diagnoses").size(), 15U);
}

TEST_F(Doctor, NeedsNoRoot) {
  const Outcome outcome = runtime.as_user(65534, {"doctor"});
  EXPECT_NE(outcome.out.find("subordinate ids"), std::string::npos) << outcome.all();
}

}  // namespace
}  // namespace support
