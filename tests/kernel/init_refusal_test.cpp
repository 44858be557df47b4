// SPDX-License-Identifier: Apache-2.0
// What init does when the kernel, or a filter around davit, answers otherwise than it should: never less than
// was asked for.
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

using RefusalTest = OperationTest;

/// From now on this system call fails with `error`: always, or only with this first argument.
void refuse(u32 number, int error, long first = -1) {
  constexpr u32 kFirstArgument = offsetof(seccomp_data, args);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFirstArgument),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<u32>(first), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<u32>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  if (first < 0) filter[1].jt = 2;
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST_F(RefusalTest, ABoundingSetThatCannotBeDroppedIsNoSuccess) {
  for (const int error : {EINVAL, EPERM, ENOSYS})
    in_child([&] {
      refuse(SYS_prctl, error, PR_CAPBSET_DROP);
      builder.emit(DropBounding{.last = 36});
      const Message message = perform();
      EXPECT_EQ(message.error, error) << say(message);
      EXPECT_EQ(message.detail, Detail::drop_bounding);
    });
}

TEST_F(RefusalTest, ALastCapabilityThatIsNotTheLastIsNotBelieved) {
  in_child([&] {
    builder.emit(DropBounding{.last = 3});
    EXPECT_EQ(say(perform()), "OK");
    for (int number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number)
      EXPECT_EQ(prctl(PR_CAPBSET_READ, number, 0, 0, 0), 0) << number;
  });
}

TEST_F(RefusalTest, GroupsThatStayAreAnError) {
  in_child([&] {
    const gid_t groups[] = {4242};
    ASSERT_EQ(setgroups(1, groups), 0);
    refuse(SYS_setgroups, EPERM);
    builder.emit(BecomeUser{.uid = 0, .gid = 0, .allow_no_setgroups = 1});
    const Message message = perform();
    EXPECT_EQ(message.error, EPERM) << say(message);
    EXPECT_EQ(message.detail, Detail::set_groups);
  });
  // Its own group may be the one that the process is not to have.
  in_child([&] {
    const gid_t groups[] = {getgid()};
    ASSERT_EQ(setgroups(1, groups), 0);
    refuse(SYS_setgroups, EPERM);
    builder.emit(BecomeUser{.uid = 7, .gid = 7});
    EXPECT_EQ(perform().detail, Detail::set_groups);
  });
}

TEST_F(RefusalTest, WhatGuardsInitIsLookedAt) {
  for (const int option : {PR_SET_DUMPABLE, PR_SET_KEEPCAPS}) {
    in_child([&] {
      refuse(SYS_prctl, EPERM, option);
      builder.emit(BecomeUser{.uid = 7, .gid = 7});
      EXPECT_EQ(perform().error, EPERM) << option;
    });
  }
  in_child([&] {
    refuse(SYS_umask, EPERM);
    builder.emit(SetUmask{.mask = 022});
    EXPECT_EQ(perform().error, EPERM);
  });
}

TEST_F(RefusalTest, AKernelWithoutKeyringsIsAWarning) {
  in_child([&] {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    refuse(SYS_keyctl, ENOSYS);
    const Slot channel = builder.reserve();
    builder.set_channel(channel);
    inherited.emplace_back(channel, pair[1]);
    builder.emit(JoinKeyring{.name = builder.text("refused")});
    EXPECT_EQ(say(perform()), "OK");
    const Received warning = receive(pair[0]);
    EXPECT_EQ(warning.message.type, MessageType::warning);
    EXPECT_EQ(warning.message.error, ENOSYS);
  });
}

TEST_F(RefusalTest, AKeyringThatIsRefusedOrCannotBeLookedAtIsAnError) {
  const auto expect_error = [&](u32 number, int error, long first) {
    in_child([&] {
      refuse(number, error, first);
      builder.emit(JoinKeyring{.name = builder.text("refused")});
      EXPECT_EQ(perform().error, error) << number << " " << first;
    });
  };
  for (const int error : {EPERM, ENOSPC, EDQUOT}) {
    expect_error(SYS_keyctl, error, KEYCTL_JOIN_SESSION_KEYRING);
    expect_error(SYS_keyctl, error, KEYCTL_DESCRIBE);
    expect_error(SYS_geteuid, error, -1);
  }
}

/// Somebody who has made a keyring, for everybody, and has it until his end.
class KeyringMaker {
 public:
  KeyringMaker(const std::string& name, uid_t user) {
    int ready[2];
    int end[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(end, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      char byte = 0;
      close(end[1]);
      if (setresuid(user, user, user) != 0) _exit(1);
      const long keyring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str());
      if (keyring < 0 || syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, 0x3f3f3f3f) != 0) _exit(2);
      if (write(ready[1], "", 1) != 1 || read(end[0], &byte, 1) != 0) _exit(3);
      _exit(0);
    }
    close(ready[1]);
    close(end[0]);
    end_ = end[1];
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1) << "the other one has no keyring";
    close(ready[0]);
  }
  KeyringMaker(const KeyringMaker&) = delete;
  KeyringMaker& operator=(const KeyringMaker&) = delete;
  ~KeyringMaker() {
    close(end_);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_EQ(status, 0);
  }

 private:
  pid_t pid_ = -1;
  int end_ = -1;
};

TEST_F(RefusalTest, SomebodyElsesKeyringOfTheSameNameIsNotJoined) {
  for (const uid_t user : {1234U, 0U}) {  // 0: as the root of another container
    const std::string name = "davit-test-" + std::to_string(getpid()) + "-" + std::to_string(user);
    const KeyringMaker maker(name, user);
    in_child([&] {
      builder.emit(JoinKeyring{.name = builder.text(name)});
      EXPECT_EQ(say(perform()), "OK");
      char text[512] = {};
      EXPECT_GT(syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text), 0);
      EXPECT_EQ(std::string(text).substr(0, 10), "keyring;0;") << text;
      EXPECT_EQ(std::string(text).find(name), std::string::npos) << text;
    });
  }
}

TEST_F(RefusalTest, HomeIsNotGuessedWhenPasswdCannotBeRead) {
  for (const u32 number : {SYS_openat2, SYS_statx, SYS_read})
    in_child([&] {
      refuse(number, EPERM);
      builder.emit(SetHome{.uid = 0});
      EXPECT_EQ(perform().error, EPERM) << number;
    });
}

TEST_F(RefusalTest, HomeIsTheRootWithoutAPasswdOfItsOwn) {
  const auto expect_default = [&](const std::function<void(const fs::path&)>& make) {
    in_child([&] {
      const fs::path etc = scratch / "etc";
      fs::create_directory(etc);
      make(etc / "passwd");
      ASSERT_EQ(mount_call(etc.c_str(), "/etc", nullptr, MS_BIND, nullptr), 0);
      const std::vector<std::string> arguments = {"/bin/sh", "-c", "exec test \"$HOME\" = /"};
      builder.emit(SetHome{.uid = 0});
      builder.emit(FindProgram{.name = builder.text("/bin/sh")});
      const std::vector<std::string> environment = {""};
      builder.emit(Execute{.arguments = builder.texts(arguments), .environment = builder.texts(environment)});
      ADD_FAILURE() << say(perform());
    });
    fs::remove_all(scratch / "etc");
  };
  expect_default([](const fs::path&) {});
  expect_default([](const fs::path& passwd) { fs::create_symlink("passwd", passwd); });
  expect_default([](const fs::path& passwd) { fs::create_directory(passwd); });
  expect_default([](const fs::path& passwd) { fs::create_symlink("/dev/null/x", passwd); });
  expect_default([](const fs::path& passwd) { ASSERT_EQ(mkfifo(passwd.c_str(), 0666), 0); });
}

/// davit's `start` waits until init executes or ends, so that going on to wait would leave both waiting.
TEST_F(RefusalTest, AnInitThatCannotHearItsStartSaysSoAndEnds) {
  const std::pair<u32, int> refusals[] = {
      {SYS_getsockopt, ENOSYS}, {SYS_ppoll, EPERM}, {SYS_recvmsg, ENOMEM}};
  for (const auto& [number, error] : refusals) {
    const fs::path address = scratch / ("start-" + std::to_string(number));
    const int listener = listen_at(address);
    // It speaks first, so that nothing depends on who is faster.
    const int caller = connect_to(address);
    tell(caller, Point::start);
    const Slot slot = builder.reserve();
    builder.emit(WaitStart{.listener = slot});
    Program program = builder.finish();
    program.inherit(slot, listener);
    Started started = start_image(std::move(program), kNoSlot, [&] { refuse(number, error); });
    close(listener);
    Received failed = receive(caller);
    // What it has not read comes first, as ECONNRESET.
    if (failed.message.type == MessageType{}) failed = receive(caller);
    ASSERT_EQ(failed.message.type, MessageType::failed) << number;
    EXPECT_EQ(failed.message.error, error);
    EXPECT_EQ(started.wait(), 1);
    close(caller);
  }
}

}  // namespace
}  // namespace davit::init_test
