// SPDX-License-Identifier: Apache-2.0
// Programs in a container that wait for what the runtime brings in, and what it leaves to them.
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <csignal>

#include "attacks/attack.hpp"

namespace support {
namespace {

class HostileProcess : public Attack {};

TEST_F(HostileProcess, Cve_2016_9962_ExecdInitsCannotBeLookedInto) {
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  Bundle bundle(config);
  const std::string id = idle(bundle);
  Child scanner = attacker(id, {"scan-ptrace", "100"});
  for (int i = 0; i < rounds(); ++i) {
    EXPECT_TRUE(runtime({"exec", id, "/bin/true"}).ok());
  }
  write_file(bundle.rootfs() + "/stop", "");
  const Outcome seen = scanner.wait();
  EXPECT_EQ(seen.out.find("HOST"), std::string::npos) << seen.out.substr(0, 500);
  EXPECT_NE(seen.out.find("done"), std::string::npos) << seen.all();
}

/// With what an engine gives it: the usual capabilities, a filter that takes CAP_SYS_ADMIN to load, and the
/// one capability that lets it trace what is not dumpable.
Json tracing_config() {
  Json config = default_config();
  for (const char* set : {"bounding", "effective", "permitted"})
    config["process"]["capabilities"][set].push("CAP_SYS_PTRACE");
  config["process"]["noNewPrivileges"] = false;
  config["linux"]["seccomp"] = Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
      {"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]})");
  return config;
}

TEST_F(HostileProcess, Cve_2016_9962_ExecdProcessesAreBornAsWhatTheyWillBe) {
  SKIP_FOR("runc,crun", "their processes change what they are after they have become visible");
  for (const bool is_filtered : {true, false}) {
    Json config = tracing_config();
    if (!is_filtered) config["linux"].erase("seccomp");
    Bundle bundle(config);
    const std::string id = idle(bundle);
    const Child scanner = attacker(id, {"scan-newborn", "3600"});
    for (int i = 0; i < rounds(); ++i) {
      const Outcome outcome = runtime({"exec", "--user", i % 2 == 0 ? "0:0" : "1000:1000", id, "/bin/true"});
      EXPECT_TRUE(outcome.ok()) << outcome.all();
    }
    const std::string seen = scanner.out();
    EXPECT_NE(seen.find("stopped"), std::string::npos) << "nobody was caught";
    EXPECT_EQ(seen.find("GAINED"), std::string::npos) << seen.substr(0, 500);
    EXPECT_EQ(seen.find("HOLDS"), std::string::npos) << seen.substr(0, 500);
    destroy(id);
  }
}

TEST_F(HostileProcess, Cve_2016_9962_ATracerThatAnExecBroughtInFindsNoMore) {
  SKIP_FOR("runc,crun", "their processes change what they are after they have become visible");
  Json config = default_config();
  config["process"]["noNewPrivileges"] = false;
  config["linux"]["seccomp"] = tracing_config()["linux"]["seccomp"];
  Bundle bundle(config);
  const std::string id = idle(bundle);
  const Child scanner =
      runtime.start({"exec", "--cap", "CAP_SYS_PTRACE", id, "/bin/probe", "scan-newborn", "3600"});
  EXPECT_TRUE(eventually([&] { return scanner.out().find("ready") != std::string::npos; }));
  for (int i = 0; i < rounds(); ++i) EXPECT_TRUE(runtime({"exec", id, "/bin/true"}).ok());
  const std::string seen = scanner.out();
  EXPECT_NE(seen.find("stopped"), std::string::npos) << "nobody was caught";
  EXPECT_EQ(seen.find("GAINED"), std::string::npos) << seen.substr(0, 500);
}

/// Whether a procfs can be mounted by who is not in its pid namespace: Linux 6.17 and later.
bool mounts_foreign_procfs() {
  const Fd filesystem(static_cast<int>(syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC)));
  return syscall(SYS_fsconfig, filesystem.get(), FSCONFIG_SET_STRING, "pidns", "/proc/self/ns/pid", 0) == 0;
}

void join_pids(Json& config, pid_t pid) {
  remove_namespace(config, "pid");
  config["linux"]["namespaces"].push(
      Json::object({{"type", "pid"}, {"path", "/proc/" + std::to_string(pid) + "/ns/pid"}}));
}

TEST_F(HostileProcess, Cve_2016_9962_WhoComesIntoAPidNamespaceIsBornAsWhatItWillBe) {
  SKIP_FOR("runc,crun", "their processes change what they are after they have become visible");
  if (!mounts_foreign_procfs()) GTEST_SKIP() << "this kernel wants the mounter of a procfs inside";
  for (const bool is_filtered : {true, false}) {
    Json config = tracing_config();
    if (!is_filtered) config["linux"].erase("seccomp");
    Bundle bundle(config);
    const std::string id = idle(bundle);
    const Child scanner = attacker(id, {"scan-newborn", "3600"});
    Json joining = config;
    join_pids(joining, runtime.pid(id));
    Bundle other(joining);
    other.args({"/bin/true"});
    for (int i = 0; i < rounds() / 2; ++i) {
      other.config["process"]["user"]["uid"] = i % 2 == 0 ? 0 : 1000;
      const Outcome outcome = run_bundle(other);
      EXPECT_TRUE(outcome.ok()) << outcome.all();
    }
    const std::string seen = scanner.out();
    EXPECT_NE(seen.find("stopped"), std::string::npos) << "nobody was caught";
    EXPECT_EQ(seen.find("GAINED"), std::string::npos) << seen.substr(0, 500);
    EXPECT_EQ(seen.find("HOLDS"), std::string::npos) << seen.substr(0, 500);
    destroy(id);
  }
}

TEST_F(HostileProcess, Cve_2016_9962_ATracerInTheSamePidNamespaceFindsNoMore) {
  SKIP_FOR("runc,crun", "their processes change what they are after they have become visible");
  Json config = default_config();
  config["process"]["noNewPrivileges"] = false;
  config["linux"]["seccomp"] = tracing_config()["linux"]["seccomp"];
  Bundle bundle(config);
  const std::string id = idle(bundle);
  Json tracing = tracing_config();
  join_pids(tracing, runtime.pid(id));
  Bundle other(tracing);
  const std::string neighbour = idle(other);
  {
    const Child scanner = attacker(neighbour, {"scan-newborn", "3600"});
    for (int i = 0; i < rounds(); ++i) EXPECT_TRUE(runtime({"exec", id, "/bin/true"}).ok());
    const std::string seen = scanner.out();
    EXPECT_NE(seen.find("stopped"), std::string::npos) << "nobody was caught";
    EXPECT_EQ(seen.find("GAINED"), std::string::npos) << seen.substr(0, 500);
  }
  destroy(neighbour);  // or the end of the pid namespace waits for who is in it, whom we have to reap
}

TEST_F(HostileProcess, WhoIsStoppedOnTheWayInIsNotWaitedForForEver) {
  SKIP_FOR("runc,crun", "wait for it");
  Bundle bundle;
  const std::string id = idle(bundle);
  const Child stopper = attacker(id, {"stop-newborn", "3600"});
  Outcome outcome;
  // One that is stopped later runs its program.
  for (int i = 0; i < rounds() && outcome.err.find("stopped") == std::string::npos; ++i)
    outcome = runtime({"exec", "--detach", id, "/bin/true"}, {.timeout_ms = 60000});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("has been stopped"), std::string::npos) << outcome.all();
}

TEST_F(HostileProcess, WhoFreezesTheCgroupOfNewcomersHoldsNobodyUp) {
  SKIP_FOR("runc,crun", "they go to the container's own cgroup, or nowhere");
  if (const auto why = missing(View::v2); !why.empty()) GTEST_SKIP() << why;
  runtime.view = View::v2;
  Bundle bundle;
  const std::string path = cgroup_path(Sandbox::get().new_id());
  bundle.config["linux"]["cgroupsPath"] = path;
  const std::string id = idle(bundle);
  const std::string inner = v2_mount() + path + "/inner";
  ASSERT_EQ(mkdir(inner.c_str(), 0755), 0);
  ASSERT_TRUE(put(inner + "/cgroup.procs", std::to_string(runtime.pid(id))));
  ASSERT_TRUE(put(inner + "/cgroup.freeze", "1"));
  Child exec = runtime.start({"exec", id, "/bin/true"}, {.timeout_ms = 30000});
  // It is in there, or stands before it: no more can be waited for.
  ASSERT_TRUE(eventually([&] { return split(trim(read_file(inner + "/cgroup.procs")), '\n').size() > 1; }));
  EXPECT_EQ(kill(exec.pid(), SIGTERM), 0);
  EXPECT_EQ(exec.wait().status, 255);
  EXPECT_TRUE(eventually([&] { return split(trim(read_file(inner + "/cgroup.procs")), '\n').size() == 1; }));
  destroy(id);
}

/// A cgroup so deep that no path leads there; its descriptor.
Fd make_deep(const std::string& top) {
  Fd here(open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string name(250, 'd');
  for (int depth = 0; depth < 20; ++depth) {
    if (mkdirat(here.get(), name.c_str(), 0755) != 0) return Fd();
    here = Fd(openat(here.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  return here;
}

bool put_at(const Fd& directory, const char* file, const std::string& text) {
  const Fd opened(openat(directory.get(), file, O_WRONLY | O_CLOEXEC));
  return opened.valid() && write(opened.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

TEST_F(HostileProcess, ADeepTreeOfCgroupsIsNoShelter) {
  SKIP_FOR("runc", "cannot delete it");
  for (const View view : {View::v2, View::v1}) {
    if (!missing(view).empty()) continue;
    runtime.view = view;
    Bundle bundle;
    const std::string path = cgroup_path(Sandbox::get().new_id());
    bundle.config["linux"]["cgroupsPath"] = path;
    const std::string id = idle(bundle);
    const std::string init = std::to_string(runtime.pid(id));
    {
      const Fd deep = make_deep((view == View::v2 ? v2_mount() : v1_mount("freezer")) + path);
      ASSERT_TRUE(deep.valid());
      ASSERT_TRUE(put_at(deep, "cgroup.procs", init));
      EXPECT_TRUE(runtime({"exec", id, "/bin/true"}).ok());
      ASSERT_TRUE(view == View::v2 ? put_at(deep, "cgroup.freeze", "1")
                                   : put_at(deep, "freezer.state", "FROZEN"));
    }
    const Outcome killed = runtime({"kill", "--all", id, "KILL"});
    EXPECT_TRUE(killed.ok()) << killed.all();
    const Outcome removed = runtime({"delete", "--force", id});
    EXPECT_TRUE(removed.ok()) << removed.all();
  }
}

TEST_F(HostileProcess, NobodyIsHeldOutsideOfAFullCgroup) {
  SKIP_FOR("runc,crun", "they put it there when it can be seen");
  SKIP_UNLESS(has_v1("pids") || has_v2("pids"), "this host has no pids controller");
  for (const bool has_users : {false, true}) {
    Json config = tracing_config();
    config["linux"]["resources"]["pids"] = Json::object({{"limit", 1}});
    if (has_users) add_user_namespace(config);
    Bundle bundle(config);
    const std::string id = idle(bundle);
    const Outcome outcome = runtime({"exec", id, "/bin/true"});
    // In a user namespace nobody may trace it.
    EXPECT_EQ(outcome.ok(), has_users) << outcome.all();
    if (!has_users) {
      EXPECT_NE(outcome.err.find("pids limit"), std::string::npos) << outcome.err;
    }
  }
}

TEST_F(HostileProcess, Cve_2019_5736_TheRuntimesFileCannotBeWritten) {
  struct stat runtime_file {};
  ASSERT_EQ(stat(runtime.path().c_str(), &runtime_file), 0);
  const std::string own = std::to_string(runtime_file.st_dev) + ":" + std::to_string(runtime_file.st_ino);
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  Bundle bundle(config);
  const std::string id = idle(bundle);
  Child scanner = attacker(id, {"scan-exe", "100"});
  for (int i = 0; i < rounds(); ++i) {
    EXPECT_TRUE(runtime({"exec", id, "/bin/true"}).ok());
  }
  write_file(bundle.rootfs() + "/stop", "");
  const Outcome seen = scanner.wait();
  if (runtime.is_davit()) {
    EXPECT_EQ(seen.out.find("exe " + own + "\n"), std::string::npos)
        << "the host's binary was visible inside";
  }
  EXPECT_EQ(seen.out.find("WRITABLE " + own), std::string::npos);
}

TEST_F(HostileProcess, Cve_2019_5736_AScriptThatPointsAtProcSelfExe) {
  Bundle bundle;
  const std::string sum = run({"sha256sum", runtime.path()}).out;
  write_file(bundle.rootfs() + "/evil", "#!/proc/self/exe\n", 0755);
  const std::string id = idle(bundle);
  runtime({"exec", id, "/evil"}, {.timeout_ms = 10000});
  EXPECT_EQ(run({"sha256sum", runtime.path()}).out, sum);
}

TEST_F(HostileProcess, Cve_2022_29162_ExecCapIsNotInheritable) {
  Bundle bundle;
  const std::string id = idle(bundle);
  const Outcome outcome = exec(id, "grep -E 'CapInh|CapAmb' /proc/self/status", {"--cap", "CAP_KILL"});
  EXPECT_EQ(outcome.out, "CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n") << outcome.all();
}

TEST_F(HostileProcess, Cve_2024_21626_WorkingDirectoriesThroughDescriptors) {
  const Fd root(open("/", O_RDONLY | O_DIRECTORY));
  for (int n = 3; n < 31; ++n) {
    Bundle bundle;
    bundle.config["process"]["cwd"] = "/proc/self/fd/" + std::to_string(n);
    bundle.sh("pwd; ls -d ../../../../../../../etc/debian_version 2>/dev/null");
    const Outcome outcome = run_bundle(bundle, {}, {.fds = {{root.get(), 9}}});
    EXPECT_EQ(outcome.out.find("debian_version"), std::string::npos) << n << outcome.all();
  }
  Bundle bundle;
  const std::string id = idle(bundle);
  for (int n = 3; n < 31; ++n) {
    const Outcome outcome = runtime({"exec", "--cwd", "/proc/self/fd/" + std::to_string(n), id, "/bin/sh",
                                     "-c", "ls -d ../../../../../../../etc/debian_version 2>/dev/null"},
                                    {.fds = {{root.get(), 9}}});
    EXPECT_EQ(outcome.out.find("debian_version"), std::string::npos) << n << outcome.all();
  }
}

TEST_F(HostileProcess, Cve_2024_21626_ProgramsThroughDescriptors) {
  SKIP_FOR("runc,crun", "these versions run what their own descriptors lead to");
  for (int n = 3; n < 48; ++n) {
    Bundle bundle;
    bundle.args({"/proc/self/fd/" + std::to_string(n) + "/bin/echo", "reached"});
    const Outcome outcome = run_bundle(bundle);
    EXPECT_NE(outcome.status, 0) << n;
    EXPECT_EQ(outcome.out, "") << n;
  }
}

TEST_F(HostileProcess, Cve_2024_21626_DescriptorsOfTheCallerAreNotLeaked) {
  const Fd root(open("/", O_RDONLY | O_DIRECTORY));
  Bundle bundle;
  bundle.args({"/bin/probe", "fds"});
  const Outcome outcome = run_bundle(bundle, {}, {.fds = {{root.get(), 9}, {root.get(), 44}}});
  EXPECT_EQ(split(outcome.out, '\n').size(), 3U) << outcome.out;
}

TEST_F(HostileProcess, Cve_2026_30892_UserOneIsNotRoot) {
  Bundle bundle;
  const std::string id = idle(bundle);
  EXPECT_EQ(exec(id, "id -u", {"-u", "1"}).out, "1\n");
  const Outcome padded = exec(id, "id -u", {"-u", "01"});
  EXPECT_TRUE(!padded.ok() || padded.out == "1\n") << padded.all();
}

TEST_F(HostileProcess, Cve_2016_3697_ANumberIsNoNameOfTheImages) {
  Bundle bundle;
  write_file(bundle.rootfs() + "/etc/passwd",
             "root:x:0:0::/:/bin/sh\n1:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n");
  write_file(bundle.rootfs() + "/etc/group", "root:x:0:\n1:x:0:\n1000:x:0:\n");
  const std::string id = idle(bundle);
  EXPECT_EQ(exec(id, "id -u; id -g", {"-u", "1"}).out, "1\n0\n");
  EXPECT_EQ(exec(id, "id -u; id -g", {"-u", "1000:1"}).out, "1000\n1\n");
}

TEST_F(HostileProcess, Cve_2026_30892_OddUsersAreExactOrAnError) {
  Bundle bundle;
  const std::string id = idle(bundle);
  const struct {
    const char* user;
    const char* exact;
  } kUsers[] = {{"1:2", "1 2\n"},
                {"01", "1 0\n"},
                {"1:", "1 0\n"},
                {":2", "0 2\n"},
                {"-1", ""},
                {"4294967296", ""},
                {"4294967295", ""},
                {"1x", ""},
                {"1:2:3", ""},
                {"0x1", ""},
                {"18446744073709551617", ""}};
  for (const auto& [user, exact] : kUsers) {
    const Outcome outcome = exec(id, "echo $(id -u) $(id -g)", {"--user=" + std::string(user)});
    EXPECT_TRUE(!outcome.ok() || outcome.out == exact) << user << ": " << outcome.all();
  }
}

TEST_F(HostileProcess, Cve_2016_8649_ExecDoesNotBelieveTheContainersProc) {
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  Bundle bundle(config);
  make_dirs(bundle.rootfs() + "/fake/self/attr");
  make_dirs(bundle.rootfs() + "/fake/self/fd");
  make_dirs(bundle.rootfs() + "/fake/thread-self/attr");
  for (const char* file : {"/fake/self/attr/exec", "/fake/self/status", "/fake/thread-self/attr/exec"})
    write_file(bundle.rootfs() + file, "fake");
  const std::string id = idle(bundle);
  const Outcome covered = exec(id, "mount --bind /fake /proc");
  ASSERT_TRUE(covered.ok()) << covered.all();
  const std::string fake = fingerprint(bundle.rootfs() + "/fake");
  const Fd root(open("/", O_RDONLY | O_DIRECTORY));
  // What exec does with /proc (labels, descriptors) it does with its own, or it refuses.
  const Outcome outcome = runtime({"exec", id, "/bin/sh", "-c", "exec 2>/dev/null; ls <&9 || echo closed"},
                                  {.fds = {{root.get(), 9}}});
  EXPECT_TRUE(!outcome.ok() || outcome.out == "closed\n") << outcome.all();
  EXPECT_EQ(fingerprint(bundle.rootfs() + "/fake"), fake);
}

TEST_F(HostileProcess, Cve_2022_0492_ReleaseAgentsStayTheHosts) {
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  add_user_namespace(config);
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["mounts"].push(mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"}));
  const Outcome tried = try_script(config, R"(
    mkdir /tmp/v1; mount -t cgroup -o pids none /tmp/v1
    for agent in /sys/fs/cgroup/release_agent /sys/fs/cgroup/*/release_agent /tmp/v1/release_agent; do
      [ -e $agent ] && echo /attack > $agent && echo "wrote $agent"
    done 2>/dev/null; true)");
  EXPECT_EQ(tried.out.find("wrote"), std::string::npos) << tried.all();
  for (const auto& name : list_dir("/sys/fs/cgroup"))
    EXPECT_EQ(read_file("/sys/fs/cgroup/" + name + "/release_agent").find("/attack"), std::string::npos)
        << name;
}

TEST_F(HostileProcess, Lxc_TheRuntimeIsNoSetuidHelper) {
  struct stat file {};
  ASSERT_EQ(stat(runtime.path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & (S_ISUID | S_ISGID), 0U);
  EXPECT_LT(getxattr(runtime.path().c_str(), "security.capability", nullptr, 0), 0) << "file capabilities";
}

TEST_F(HostileProcess, TheCallersTerminalIsNotGivenAway) {
  // CVE-2016-10124: with a terminal of its own the process has another one than ours, and a session of its
  // own.
  const std::string text = output(default_config(), "cat /proc/self/stat | cut -d' ' -f6,7");
  EXPECT_EQ(text.substr(text.find(' ') + 1), "0") << "no controlling terminal: " << text;
}

}  // namespace
}  // namespace support
