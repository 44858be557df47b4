// SPDX-License-Identifier: Apache-2.0
// Identity, settings, hooks, programs and the console.
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <termios.h>

#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

using ProcessTest = OperationTest;

std::string status_line(const std::string& key) {
  const std::string all = read_file("/proc/self/status");
  const std::size_t at = all.find(key + ":\t");
  return at == std::string::npos ? ""
                                 : all.substr(at + key.size() + 2, all.find('\n', at) - at - key.size() - 2);
}

u32 last_capability() {
  return static_cast<u32>(std::stoul(read_file("/proc/sys/kernel/cap_last_cap")));
}

TEST_F(ProcessTest, BecomesAUserWithExactlyTheseCapabilities) {
  in_child([&] {
    const std::vector<u32> groups = {7, 9};
    constexpr u64 kChown = 1;
    constexpr u64 kKill = 1U << 5;
    builder.emit(DropBounding{.keep = kChown | kKill, .last = last_capability()});
    builder.emit(BecomeUser{.uid = 1000, .gid = 100, .groups = builder.list(std::span(groups))});
    builder.emit(SetCapabilities{
        .effective = kChown, .permitted = kChown | kKill, .inheritable = kKill, .ambient = kKill});
    builder.emit(NoNewPrivileges{});
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(status_line("Uid"), "1000\t1000\t1000\t1000");
    EXPECT_EQ(status_line("Groups"), "7 9 ");
    EXPECT_EQ(status_line("CapEff"), "0000000000000001");
    EXPECT_EQ(status_line("CapPrm"), "0000000000000021");
    EXPECT_EQ(status_line("CapInh"), "0000000000000020");
    EXPECT_EQ(status_line("CapAmb"), "0000000000000020");
    EXPECT_EQ(status_line("CapBnd"), "0000000000000021");
    EXPECT_EQ(status_line("NoNewPrivs"), "1");
    EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
  });
}

TEST_F(ProcessTest, KeepsGroupsOnlyWhereTheUserNamespaceDeniesToDropThem) {
  in_child([&] {
    ASSERT_NO_FATAL_FAILURE(enter_user_namespace());
    builder.emit(BecomeUser{.uid = 0, .gid = 0});
    EXPECT_EQ(say(perform()), "OK");
    const std::vector<u32> groups = {0};
    builder.emit(BecomeUser{.uid = 0, .gid = 0, .groups = builder.list(std::span(groups))});
    EXPECT_EQ(perform().error, EPERM) << "groups that were asked for";
  });
  in_child([&] {
    ASSERT_EQ(setresuid(1000, 1000, 1000), 0);
    builder.emit(BecomeUser{.uid = 1000, .gid = 0});
    EXPECT_EQ(perform().error, EPERM) << "no privilege to drop them";
  });
}

TEST_F(ProcessTest, HoldsACapabilityBackUntilItIsReleased) {
  in_child([&] {
    constexpr u64 kAdmin = 1U << 21;
    builder.emit(BecomeUser{.uid = 1000, .gid = 100});
    builder.emit(SetCapabilities{.permitted = 1, .inheritable = 1, .ambient = 1, .held = kAdmin});
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(status_line("CapEff"), "0000000000200000");
    EXPECT_EQ(status_line("CapPrm"), "0000000000200001");
  });
  in_child([&] {
    builder.emit(BecomeUser{.uid = 1000, .gid = 100});
    builder.emit(SetCapabilities{.permitted = 1, .inheritable = 1, .ambient = 1, .held = 1U << 21});
    builder.emit(ReleaseCapabilities{});
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(status_line("CapEff"), "0000000000000000");
    EXPECT_EQ(status_line("CapPrm"), "0000000000000001");
    EXPECT_EQ(status_line("CapAmb"), "0000000000000001");
  });
}

TEST_F(ProcessTest, ReportsCapabilitiesThatItCannotGrant) {
  in_child([&] {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    const Slot channel = builder.reserve();
    builder.set_channel(channel);
    inherited.emplace_back(channel, pair[1]);
    builder.emit(SetCapabilities{.effective = 1, .permitted = 1});
    builder.emit(SetCapabilities{.effective = 1, .permitted = 1 | 2, .ambient = 1});
    EXPECT_EQ(say(perform()), "OK");
    const Message left = receive(pair[0]).message;
    EXPECT_EQ(left.type, MessageType::capabilities_left);
    EXPECT_EQ(left.value, 2U);
    const Message ambient = receive(pair[0]).message;
    EXPECT_EQ(ambient.detail, Detail::raise_ambient);
    EXPECT_EQ(ambient.value, 1U);
  });
}

TEST_F(ProcessTest, WritesSettingsThroughItsOwnProc) {
  in_child([&] {
    ASSERT_EQ(unshare(CLONE_NEWUTS), 0);
    ASSERT_EQ(mount_call("tmpfs", "/proc", "tmpfs", 0, nullptr), 0);  // somebody has covered /proc
    const Slot proc = builder.reserve();
    builder.emit(SetHostname{.name = builder.text("box")});
    builder.emit(OpenProc{.proc = proc});
    builder.emit(WriteSysctl{
        .path = builder.text("sys/kernel/domainname"), .value = builder.text("here"), .proc = proc});
    EXPECT_EQ(say(perform()), "OK");
    char names[2][65] = {};
    gethostname(names[0], 64);
    getdomainname(names[1], 64);
    EXPECT_STREQ(names[0], "box");
    EXPECT_STREQ(names[1], "here");
    const Slot again = builder.reserve();
    builder.emit(OpenProc{.proc = again});
    builder.emit(WriteSysctl{.path = builder.text("self/comm"), .value = builder.text("x"), .proc = again});
    EXPECT_EQ(perform().error, ELOOP);
  });
}

TEST_F(ProcessTest, WithoutAProcOfItsOwnTheVisibleOneMustBeReal) {
  in_child([&] {
    ASSERT_EQ(unshare(CLONE_NEWUTS), 0);
    const Slot none = builder.reserve();
    builder.emit(WriteSysctl{
        .path = builder.text("sys/kernel/domainname"), .value = builder.text("there"), .proc = none});
    EXPECT_EQ(say(perform()), "OK");
    char name[65] = {};
    getdomainname(name, 64);
    EXPECT_STREQ(name, "there");
    ASSERT_EQ(mount_call("/proc/sys", "/proc", nullptr, MS_BIND, nullptr), 0);
    const Slot still_none = builder.reserve();
    builder.emit(WriteSysctl{
        .path = builder.text("kernel/domainname"), .value = builder.text("x"), .proc = still_none});
    EXPECT_EQ(perform().detail, Detail::not_procfs);
  });
}

TEST_F(ProcessTest, AProcForLabelsHoldsNothingElse) {
  in_child([&] {
    const std::string comm = std::to_string(getpid()) + "/comm";
    const Slot proc = builder.reserve();
    builder.emit(OpenProc{.proc = proc, .processes_only = 1});
    builder.emit(WriteSysctl{.path = builder.text(comm), .value = builder.text("renamed"), .proc = proc});
    builder.emit(
        WriteSysctl{.path = builder.text("sys/kernel/domainname"), .value = builder.text("x"), .proc = proc});
    const Message message = perform();
    EXPECT_EQ(message.operation, 2U);
    EXPECT_EQ(message.error, ENOENT);
    EXPECT_EQ(read_file("/proc/self/comm"), "renamed\n");
  });
}

TEST_F(ProcessTest, TimeOffsetsGoToNoOtherFile) {
  in_child([&] {
    // A mount namespace that was joined may have anything at /proc.
    const fs::path real = scratch / "real";
    fs::create_directory(real);
    ASSERT_EQ(mount_call("/proc", real.c_str(), nullptr, MS_BIND | MS_REC, nullptr), 0);
    ASSERT_EQ(mount_call("tmpfs", "/proc", "tmpfs", 0, nullptr), 0);
    const fs::path comm = real / std::to_string(getpid()) / "comm";
    const std::string before = read_file(comm);
    for (const std::string& name : {std::string("self"), std::to_string(getpid())}) {
      fs::create_directory("/proc/" + name);
      fs::create_symlink(comm, "/proc/" + name + "/timens_offsets");
    }
    builder.emit(SetTimeOffsets{.text = builder.text("monotonic 1 2\n")});
    EXPECT_EQ(perform().detail, Detail::not_procfs);
    EXPECT_EQ(read_file(comm), before);
  });
}

TEST_F(ProcessTest, SetsScheduling) {
  in_child([&] {
    const u64 first_cpu = 1;
    builder.emit(SetScheduler{.policy = SCHED_BATCH, .nice = 5});
    builder.emit(SetAffinity{.mask = builder.list(std::span(&first_cpu, 1))});
    builder.emit(SetIoPriority{.value = 2U << 13 | 6});
    builder.emit(SetPersonality{.persona = 0x0040000});
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
    EXPECT_EQ(status_line("Cpus_allowed_list"), "0");
    EXPECT_EQ(syscall(SYS_ioprio_get, 1, 0), 2L << 13 | 6);
    EXPECT_EQ(syscall(SYS_personality, 0xffffffff), 0x0040000);
  });
}

TEST_F(ProcessTest, ChecksTheWorkingDirectory) {
  in_child([&] {
    const std::string magic = "/proc/self/fd/" + std::to_string(open("/tmp", O_PATH | O_DIRECTORY));
    builder.emit(ChangeDirectory{.path = builder.text(magic)});
    EXPECT_EQ(perform().error, ELOOP);
    ASSERT_EQ(chdir("/tmp"), 0);
    ASSERT_EQ(chroot(rootfs.c_str()), 0);
    builder.emit(CheckDirectory{});
    EXPECT_EQ(say(init::perform_all(builder.finish().image.data())).substr(0, 13), "operation 0: ");
    builder.emit(ChangeDirectory{.path = builder.text("/made/for/me"), .make_missing = 1});
    builder.emit(CheckDirectory{});
    EXPECT_EQ(say(init::perform_all(builder.finish().image.data())), "OK");
  });
  EXPECT_TRUE(fs::exists(rootfs / "made/for/me"));
}

struct HookTest : OperationTest {
  Message run(const std::string& script, u32 timeout = 0) {
    const std::vector<std::string> arguments = {"sh", "-c", script};
    const std::vector<std::string> environment = {"DIR=" + scratch.path().string()};
    RunHook hook;
    hook.path = builder.text("/bin/sh");
    hook.arguments = builder.texts(arguments);
    hook.environment = builder.texts(environment);
    hook.state_before_pid = builder.text("{\"pid\":");
    hook.state_after_pid = builder.text("}");
    hook.timeout_seconds = timeout;
    builder.emit(hook);
    return perform();
  }
};

TEST_F(HookTest, GetsTheState) {
  EXPECT_EQ(say(run("cat >$DIR/state; ls /proc/self/fd | wc -l >$DIR/count")), "OK");
  EXPECT_EQ(read_file(scratch / "state"), "{\"pid\":" + std::to_string(getpid()) + "}");
  EXPECT_EQ(read_file(scratch / "count"), "4\n");  // three, and the directory itself
}

TEST_F(HookTest, SaysWhyItFailed) {
  const Message exited = run("echo out; echo err >&2; exit 3");
  EXPECT_EQ(exited.detail, Detail::hook_exit);
  EXPECT_EQ(exited.value, 3U);
  EXPECT_STREQ(exited.text, "out\nerr\n");
  const Message killed = run("kill -9 $$");
  EXPECT_EQ(killed.detail, Detail::hook_signal);
  EXPECT_EQ(killed.value, 9U);
  const Message late = run("echo working; exec sleep 60", 1);
  EXPECT_EQ(late.detail, Detail::hook_timeout);
  EXPECT_STREQ(late.text, "working\n");
}

TEST_F(HookTest, TakesItsDescendantsAlongWhenTimeIsUp) {
  const Message late = run("sleep 1000 & echo $! >$DIR/pid; wait", 1);
  EXPECT_EQ(late.detail, Detail::hook_timeout);
  const fs::path stat = "/proc/" + std::to_string(std::stoi(read_file(scratch / "pid"))) + "/stat";
  const auto is_alive = [&] {
    const std::string text = read_file(stat);  // "42 (sleep) S 1 ..."
    return !text.empty() && text.find(") Z ") == std::string::npos;
  };
  for (int i = 0; i < 6000 && is_alive(); ++i) usleep(10000);
  EXPECT_FALSE(is_alive());
}

TEST_F(HookTest, ThatNeverStopsTalkingHasATimeLimit) {
  EXPECT_EQ(run("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", 1).detail,
            Detail::hook_timeout);
  EXPECT_EQ(run("exec cat /dev/zero", 1).detail, Detail::hook_timeout);
  const Message message =
      run("cat /dev/zero & exit 3");  // which ends by SIGPIPE when nobody listens any more
  EXPECT_EQ(message.detail, Detail::hook_exit);
}

TEST_F(HookTest, OfEndlessOutputKeepsTheEnd) {
  const Message message =
      run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo END; exit 1");
  EXPECT_EQ(std::strlen(message.text), sizeof message.text - 1);
  EXPECT_STREQ(message.text + sizeof message.text - 5, "END\n");
}

TEST_F(HookTest, DoesNotWaitForItsDescendants) {
  EXPECT_EQ(say(run("sleep 5 & exit 0")), "OK");
}

TEST_F(HookTest, ThatIsMissingIsAnError) {
  const std::vector<std::string> arguments = {"x"};
  RunHook hook;
  hook.path = builder.text("/no/such/hook");
  hook.arguments = builder.texts(arguments);
  hook.environment = builder.texts({});
  builder.emit(hook);
  const Message message = perform();
  EXPECT_EQ(message.detail, Detail::hook_start);
  EXPECT_EQ(message.error, ENOENT);
}

struct ExecuteTest : OperationTest {
  Message execute(const std::string& name) {
    Message message;
    const std::vector<std::string> arguments = {name};
    builder.emit(FindProgram{
        .name = builder.text(name), .search_path = builder.text(scratch.path().string()), .has_path = 1});
    builder.emit(Execute{.arguments = builder.texts(arguments), .environment = builder.texts({})});
    return perform();
  }
  std::string make(const std::string& name, const std::string& content, mode_t mode = 0755) {
    write_file(scratch / name, content);
    chmod((scratch / name).c_str(), mode);
    return (scratch / name).string();
  }
};

TEST_F(ExecuteTest, ExplainsWhyNot) {
  EXPECT_EQ(execute("missing").detail, Detail::not_in_path);
  EXPECT_EQ(execute("/no/such").detail, Detail::no_such_file);
  EXPECT_EQ(execute("/etc").detail, Detail::is_directory);
  EXPECT_EQ(execute(make("plain", "x", 0644)).detail, Detail::not_executable);
  EXPECT_EQ(execute(make("text", "just text")).detail, Detail::bad_format);
  const Message missing = execute(make("script", "#!/no/interpreter -x\n"));
  EXPECT_EQ(missing.detail, Detail::no_interpreter);
  EXPECT_STREQ(missing.text, "/no/interpreter");
  EXPECT_EQ(execute(make("dos", "#!/bin/sh\r\necho\r\n")).detail, Detail::crlf_interpreter);
  EXPECT_EQ(execute(make("refused", "#!" + (scratch / "plain").string() + "\n")).detail,
            Detail::interpreter_not_executable);
  std::string elf(64, '\0');
  std::memcpy(elf.data(),
              "\x7f"
              "ELF\x02\x01\x01",
              7);
  elf[16] = 2;
  elf[18] = 22;  // s390x
  const Message foreign = execute(make("foreign", elf));
  EXPECT_EQ(foreign.detail, Detail::wrong_architecture);
  EXPECT_EQ(foreign.value, 22U);
}

TEST_F(ExecuteTest, ExplainsAMissingLoaderOfA32BitProgram) {
#ifndef __x86_64__
  GTEST_SKIP() << "32-bit x86 programs are foreign here";
#endif
  Elf32_Ehdr elf{};
  std::memcpy(elf.e_ident,
              "\x7f"
              "ELF\x01\x01\x01",
              7);
  elf.e_type = ET_EXEC;
  elf.e_machine = EM_386;
  elf.e_version = 1;
  elf.e_phoff = sizeof elf;
  elf.e_ehsize = sizeof elf;
  elf.e_phentsize = sizeof(Elf32_Phdr);
  elf.e_phnum = 1;
  const std::string loader("/no/ld-linux.so.2", 18);
  Elf32_Phdr segment{};
  segment.p_type = PT_INTERP;
  segment.p_offset = sizeof elf + sizeof segment;
  segment.p_filesz = static_cast<Elf32_Word>(loader.size());
  std::string content(reinterpret_cast<const char*>(&elf), sizeof elf);
  content.append(reinterpret_cast<const char*>(&segment), sizeof segment).append(loader);
  const Message message = execute(make("small", content));
  if (message.error == ENOEXEC) GTEST_SKIP() << "this kernel runs no 32-bit programs";
  EXPECT_EQ(message.detail, Detail::no_interpreter);
  EXPECT_STREQ(message.text, "/no/ld-linux.so.2");
}

TEST_F(ExecuteTest, KnowsNoexecMounts) {
  in_child([&] {
    ASSERT_EQ(mount_call("tmpfs", scratch.path().c_str(), "tmpfs", MS_NOEXEC, nullptr), 0);
    EXPECT_EQ(execute(make("program", "#!/bin/sh\n")).detail, Detail::noexec_mount);
  });
}

TEST_F(ExecuteTest, FindsThingsInPathAndHomeInPasswd) {
  make("show", "#!/bin/sh\nprintf '%s' \"$HOME$A\" >" + (scratch / "out").string() + "\n");
  in_child([&] {
    write_file(scratch / "passwd", "root:x:0:0::/root:/bin/sh\nbad:x:zz:0::/no:\nme:x:1234:1::/home/me");
    ASSERT_EQ(mount_call((scratch / "passwd").c_str(), "/etc/passwd", nullptr, MS_BIND, nullptr), 0);
    const std::vector<std::string> arguments = {"show"};
    const std::vector<std::string> environment = {"A=b", ""};
    builder.emit(SetHome{.uid = 1234});
    builder.emit(FindProgram{.name = builder.text("show"),
                             .search_path = builder.text(":/nowhere:" + scratch.path().string()),
                             .has_path = 1});
    builder.emit(Execute{.arguments = builder.texts(arguments), .environment = builder.texts(environment)});
    const Message message = perform();
    FAIL() << say(message);
  });
  EXPECT_EQ(read_file(scratch / "out"), "/home/meb");
}

}  // namespace
}  // namespace davit::init_test
