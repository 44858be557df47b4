// SPDX-License-Identifier: Apache-2.0
// seccomp: actions, conditions, architectures, and the listener.
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "support/fixture.hpp"

namespace support {
namespace {

class Seccomp : public ContainerTest {
 protected:
  static Json with(std::string_view seccomp) {
    Json config = default_config();
    config["process"]["capabilities"] = all_capabilities();
    config["linux"]["seccomp"] = Json::parse(seccomp);
    return config;
  }
  std::string calls(const Json& config, const std::string& names) {
    Bundle bundle(config);
    bundle.sh("exec probe call " + names);
    const Outcome outcome = run_bundle(bundle);
    return outcome.out + (outcome.status > 1 ? "status " + std::to_string(outcome.status) + outcome.err : "");
  }
};

TEST_F(Seccomp, ErrnoAndItsValue) {
  EXPECT_EQ(
      calls(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
      {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO"},
      {"names": ["unshare", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
      {"names": ["sync"], "action": "SCMP_ACT_LOG"}]})"),
            "sethostname unshare sync"),
      "sethostname EPERM\nunshare ENOSYS\nsync ok\n");
}

TEST_F(Seccomp, TheDefaultActionAppliesToTheRest) {
  const Json config = with(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
      {"names": ["read", "write", "writev", "exit", "exit_group", "execve", "brk", "mmap", "munmap", "mprotect", "openat",
       "close", "fstat", "newfstatat", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64",
       "getrandom", "ioctl", "fcntl", "getuid", "geteuid", "getgid", "getegid", "rt_sigaction", "rt_sigprocmask",
       "rt_sigreturn", "readlinkat", "readlink", "sync", "prctl", "uname", "access", "fchdir", "getcwd", "futex", "getdents64",
       "capset", "capget", "setgroups", "setuid", "setgid", "setresuid", "setresgid", "chdir", "close_range", "epoll_pwait",
       "nanosleep", "clock_nanosleep", "getpid", "gettid", "tgkill", "sched_yield", "pread64", "fstatfs", "statfs", "stat", "fork", "wait4", "sigaltstack", "getppid", "dup", "dup2", "dup3"],
       "action": "SCMP_ACT_ALLOW"}]})");
  EXPECT_EQ(calls(config, "sync sethostname"), "sync ok\nsethostname ENOSYS\n");
}

TEST_F(Seccomp, KillKills) {
  for (const char* action : {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD"}) {
    if (runtime.name() == "runc" && std::string(action) != "SCMP_ACT_KILL") continue;
    Bundle bundle(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["sethostname"], "action": ")" +
                       std::string(action) + R"("}]})"));
    bundle.args({"/bin/probe", "call", "sethostname"});
    EXPECT_EQ(run_bundle(bundle).status, 128 + 31) << action;
  }
}

TEST_F(Seccomp, ConditionsOnArguments) {
  EXPECT_EQ(calls(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22,
       "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]})"),
                  "personality0 personality32"),
            "personality0 ok\npersonality32 EINVAL\n");
  EXPECT_EQ(calls(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
       "args": [{"index": 0, "value": 67108864, "valueTwo": 67108864, "op": "SCMP_CMP_MASKED_EQ"}]}]})"),
                  "unshare sync"),
            "unshare EACCES\nsync ok\n");
}

TEST_F(Seccomp, TheFilterIsThereAndOneOnly) {
  const std::string text = output(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO"}]})"),
                                  "grep Seccomp /proc/self/status | tr -s '\\t ' ' '");
  EXPECT_EQ(text, "Seccomp: 2\nSeccomp_filters: 1");
}

TEST_F(Seccomp, WithAndWithoutNoNewPrivileges) {
  for (const bool nnp : {true, false}) {
    Json config = with(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO"}]})");
    config["process"]["noNewPrivileges"] = nnp;
    EXPECT_EQ(calls(config, "sethostname"), "sethostname EPERM\n");
    config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1000})");
    EXPECT_EQ(calls(config, "sethostname"), "sethostname EPERM\n") << "as a user, nnp " << nnp;
  }
}

TEST_F(Seccomp, ProfilesOlderThanOurSystemCallsWork) {
  SKIP_FOR("runc,crun", "need more than such a profile allows");
  // What busybox needs to say something, and capset(2), as every profile has it for the peers' sake.
  Json config =
      with(R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
      {"names": ["read", "write", "close", "fstat", "mmap", "mprotect", "munmap", "brk", "rt_sigaction", "rt_sigprocmask",
       "rt_sigreturn", "ioctl", "getpid", "execve", "exit", "exit_group", "fcntl", "getcwd", "getuid", "geteuid", "getgid",
       "getegid", "getppid", "uname", "stat", "prctl", "arch_prctl", "capset"], "action": "SCMP_ACT_ALLOW"}]})");
  for (const bool nnp : {true, false})
    for (const int uid : {0, 1000}) {
      config["process"]["noNewPrivileges"] = nnp;
      config["process"]["user"]["uid"] = uid;
      EXPECT_EQ(output(config, "echo ran"), "ran") << nnp << " " << uid;
    }
}

TEST_F(Seccomp, ANarrowProfileDoesNotHideThatTheProgramCannotRun) {
  SKIP_FOR("runc,crun", "need more than such a profile allows");
  Bundle bundle(with(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
      {"names": ["write", "exit_group", "execve", "capset"], "action": "SCMP_ACT_ALLOW"}]})"));
  write_file(bundle.rootfs() + "/bin/script", "#!/no/such/interpreter\n", 0755);
  bundle.args({"/bin/script"});
  const Outcome outcome = run_bundle(bundle);
  EXPECT_NE(outcome.err.find("exec /bin/script: No such file or directory"), std::string::npos)
      << outcome.all();
}

TEST_F(Seccomp, CapabilitiesAreTheSameWithAProfile) {
  Json config = default_config();
  for (const bool nnp : {true, false})
    for (const int uid : {0, 1000}) {
      config["process"]["noNewPrivileges"] = nnp;
      config["process"]["user"]["uid"] = uid;
      config["linux"].erase("seccomp");
      const std::string without = output(config, "grep ^Cap /proc/self/status");
      config["linux"]["seccomp"] = Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []})");
      EXPECT_EQ(output(config, "grep ^Cap /proc/self/status"), without) << nnp << " " << uid;
    }
}

TEST_F(Seccomp, UnknownSyscallsAreENOSYS) {
  SKIP_FOR("crun", "1.8.1 gives the default errno");
  EXPECT_EQ(
      calls(with(R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
      {"names": ["read", "write", "exit", "exit_group", "execve", "brk", "mmap", "munmap", "mprotect", "openat", "close",
       "fstat", "newfstatat", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "getrandom",
       "ioctl", "fcntl", "getuid", "geteuid", "getgid", "getegid", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
       "readlinkat", "readlink", "prctl", "uname", "access", "getcwd", "futex", "getdents64", "capset", "capget", "setgroups",
       "setuid", "setgid", "chdir", "close_range", "nanosleep", "getpid", "gettid", "tgkill", "fchdir",
       "epoll_pwait", "fstatfs", "statfs", "stat", "getppid", "dup", "dup2", "dup3", "writev", "clone3", "openat2", "futex_waitv", "cachestat", "map_shadow_stack", "futex_wake", "lsm_list_modules", "mseal"], "action": "SCMP_ACT_ALLOW"}]})"),
            "sethostname unknown"),
      "sethostname EPERM\nunknown ENOSYS\n");
}

TEST_F(Seccomp, BadOnesAreRefused) {
  const std::pair<const char*, bool> cases[] = {
      {R"({"defaultAction": "SCMP_ACT_NOSUCH"})", true},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NOSUCH"]})", true},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "X"}]})", true},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]})",
       false},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1}]})",
       false},
      {R"({"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 1})", false},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"})", false},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NOSUCH"]})", true},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_ERRNO",
           "args": [{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}]}]})",
       false},
  };
  for (const auto& [seccomp, peers_too] : cases) {
    if (!runtime.is_davit() && (!peers_too || runtime.name() == "crun")) continue;
    refused(with(seccomp));
  }
}

/// A seccomp agent that listens there.
Fd agent_at(const std::string& path) {
  Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  return listener;
}

/// What the next runtime tells an agent, and the descriptor of the filter.
Json hear(int listener, Fd& notify) {
  pollfd wait = {listener, POLLIN, 0};
  if (poll(&wait, 1, 60000) != 1) return Json::object({});
  const Fd connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  char text[65536];
  alignas(cmsghdr) char control[256] = {};
  iovec part = {text, sizeof text};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* header = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr) return Json::object({});
  int number = -1;
  memcpy(&number, CMSG_DATA(header), sizeof number);
  notify = Fd(number);
  return Json::parse({text, static_cast<std::size_t>(size)});
}

class SeccompAgent : public Seccomp, public ::testing::WithParamInterface<const char*> {};

TEST_P(SeccompAgent, Hears) {
  SKIP_UNLESS(GetParam() == std::string("[]") || Json::try_parse(runtime({"features"}).out)
                                                     .value_or(Json())
                                                     .get("linux")
                                                     .get("seccomp")
                                                     .get("supportedFlags")
                                                     .contains(Json::parse(GetParam()).items()[0].str()),
              "this runtime, or this kernel, has no such flag");
  TempDir place;
  const std::string path = place / "agent";
  const Fd listener = agent_at(path);
  Bundle bundle(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": ")" + path +
                     R"(", "listenerMetadata": "some data", "flags": )" + GetParam() + R"(, "syscalls": [
      {"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]})"));
  bundle.args({"/bin/probe", "call", "sethostname", "sync"});
  bundle.write();
  const std::string id = new_id();
  Child child = runtime.start({"run", "--bundle", bundle.path(), id});
  Fd notify;
  const Json state = hear(listener.get(), notify);
  EXPECT_TRUE(state.get("fds").contains("seccompFd")) << state.dump();
  EXPECT_EQ(state.get("metadata").str(), "some data");
  EXPECT_EQ(state.get("state").get("id").str(), id);
  EXPECT_GT(state.get("pid").number(), 0);

  pollfd wait = {notify.get(), POLLIN, 0};
  ASSERT_EQ(poll(&wait, 1, 60000), 1) << child.err();
  seccomp_notif request{};
  ASSERT_EQ(ioctl(notify.get(), SECCOMP_IOCTL_NOTIF_RECV, &request), 0) << strerror(errno);
  seccomp_notif_resp response{};
  response.id = request.id;
  response.error = -EEXIST;
  ASSERT_EQ(ioctl(notify.get(), SECCOMP_IOCTL_NOTIF_SEND, &response), 0);
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.out, "sethostname EEXIST\nsync ok\n") << outcome.all();
}

INSTANTIATE_TEST_SUITE_P(Of, SeccompAgent,
                         ::testing::Values("[]", R"(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])"),
                         [](const auto& one) { return one.index == 0 ? "EachCall" : "KillableWaits"; });

/// The filter of an exec is loaded by the process itself, or by the one before it if some in there may trace
/// it, who has to be lent CAP_SYS_ADMIN for it or has it.
std::vector<Json> agents_configs(const std::string& agent) {
  Json alone = default_config();
  alone["process"]["noNewPrivileges"] = false;
  alone["linux"]["seccomp"] =
      Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": ")" + agent +
                  R"(", "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]})");
  Json traced = alone;
  for (const char* set : {"bounding", "effective", "permitted"})
    traced["process"]["capabilities"][set].push("CAP_SYS_PTRACE");
  Json all = alone;
  all["process"]["capabilities"] = all_capabilities();
  Json restricted = traced;
  restricted["process"]["noNewPrivileges"] = true;
  return {alone, traced, all, restricted};
}

TEST_F(Seccomp, TheAgentOfAnExecHearsOfBothProcesses) {
  TempDir place;
  const Fd listener = agent_at(place / "agent");
  for (const Json& config : agents_configs(place / "agent")) {
    Bundle bundle(config);
    bundle.sh("while :; do sleep 1; done");
    const std::string id = create(bundle);
    Fd notify;
    const Json created = hear(listener.get(), notify);
    EXPECT_EQ(created.get("state").get("status").str(), "creating") << created.dump();
    EXPECT_EQ(created.get("pid").number(), created.get("state").get("pid").number());
    ASSERT_TRUE(runtime({"start", id}).ok());
    Child child = runtime.start({"exec", id, "/bin/sh", "-c", "exec sleep 1000"});
    const Json executed = hear(listener.get(), notify);
    EXPECT_EQ(executed.get("state").get("status").str(), "running") << executed.dump();
    EXPECT_EQ(executed.get("state").get("pid").number(), created.get("pid").number());
    EXPECT_NE(executed.get("pid").number(), created.get("pid").number());
    ASSERT_GT(executed.get("pid").number(), 0);
    EXPECT_EQ(kill(static_cast<pid_t>(executed.get("pid").number()), SIGKILL), 0);
    EXPECT_NE(child.wait().status, 0) << "whether it had executed by then or not";
    destroy(id);
  }
}

TEST_F(Seccomp, AnExecWhoseAgentIsGoneRunsNothing) {
  SKIP_FOR("crun", "lets it run");
  for (const char* bundle_user : {"host", "own"}) {
    TempDir place;
    for (Json config : agents_configs(place / "agent")) {
      Fd listener = agent_at(place / "agent");
      if (bundle_user == std::string("own")) add_user_namespace(config);
      Bundle bundle(config);
      write_file(bundle.rootfs() + "/marks", "", 0666);
      chmod((bundle.rootfs() + "/marks").c_str(), 0666);
      bundle.sh("while :; do sleep 1; done");
      const std::string id = create(bundle);
      Fd notify;
      hear(listener.get(), notify);
      ASSERT_TRUE(runtime({"start", id}).ok());
      listener = Fd();
      unlink((place / "agent").c_str());
      for (int round = 0; round < 10; ++round) {
        const Outcome outcome = runtime({"exec", id, "/bin/probe", "mark", "/marks", "run"});
        EXPECT_NE(outcome.status, 0);
        EXPECT_NE(outcome.err.find("agent"), std::string::npos) << outcome.err;
      }
      EXPECT_EQ(read_file(bundle.rootfs() + "/marks"), "");
      destroy(id);
    }
  }
}

TEST_F(Seccomp, AProfileThatRefusesEvenTheEndIsNoHang) {
  SKIP_FOR("runc,crun", "say it in other words");
  for (const char* allowed : {R"([])", R"([{"names": ["exit_group"], "action": "SCMP_ACT_ALLOW"}])",
                              R"([{"names": ["exit_group", "write"], "action": "SCMP_ACT_ALLOW"}])"}) {
    Json config = with(std::string(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": )") + allowed + "}");
    config["process"]["noNewPrivileges"] = true;
    Bundle bundle(config);
    const Outcome ran = run_bundle(bundle);
    EXPECT_NE(ran.status, 0) << allowed;
    EXPECT_NE(ran.err, "") << allowed;
    const std::string id = create(bundle);
    const Outcome started = runtime({"start", id});
    EXPECT_NE(started.status, 0) << allowed;
    EXPECT_NE(started.err, "") << allowed;
  }
}

TEST_F(Seccomp, NoListenerIsAnError) {
  Json config = with(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/agent", "syscalls": [
      {"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]})");
  refused(config);
}

TEST_F(Seccomp, AnEnginesWholeProfile) {
  // Every architecture of the machine and hundreds of names: the size that matters.
  Json seccomp = Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW",
      "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": []})");
  std::vector<std::string> names = {"acct",
                                    "add_key",
                                    "bpf",
                                    "clock_adjtime",
                                    "clock_settime",
                                    "create_module",
                                    "delete_module",
                                    "finit_module",
                                    "get_kernel_syms",
                                    "init_module",
                                    "ioperm",
                                    "iopl",
                                    "kcmp",
                                    "kexec_file_load",
                                    "kexec_load",
                                    "keyctl",
                                    "lookup_dcookie",
                                    "mbind",
                                    "move_pages",
                                    "nfsservctl",
                                    "open_by_handle_at",
                                    "perf_event_open",
                                    "pivot_root",
                                    "query_module",
                                    "quotactl",
                                    "reboot",
                                    "request_key",
                                    "setns",
                                    "settimeofday",
                                    "stime",
                                    "swapoff",
                                    "swapon",
                                    "sysfs",
                                    "_sysctl",
                                    "umount",
                                    "uselib",
                                    "userfaultfd",
                                    "ustat",
                                    "vm86",
                                    "vm86old"};
  seccomp["syscalls"].push(Json::object({{"names", Json(names)}, {"action", "SCMP_ACT_ERRNO"}}));
  Json config = with(seccomp.dump());
  EXPECT_EQ(calls(config, "kexec_load keyctl sync"), "kexec_load EPERM\nkeyctl EPERM\nsync ok\n");
}

}  // namespace
}  // namespace support
