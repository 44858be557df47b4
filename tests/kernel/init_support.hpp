// SPDX-License-Identifier: Apache-2.0
// Starts init images and single operations the way davit does, for the tests of init.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "davit/program/builder.hpp"
#include "davit/program/operations.hpp"
#include "init/start.hpp"

extern "C" const char davit_init_image_begin[];
extern "C" const char davit_init_image_end[];

namespace davit::init_test {

namespace fs = std::filesystem;
using program::Message;
using program::MessageType;
using program::Point;

/// What a message said and the descriptor that came with it.
struct Received {
  Message message;
  int descriptor = -1;
};

/// One message from init; type 0 at EOF.
inline Received receive(int socket) {
  Received received;
  iovec part{&received.message, sizeof received.message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (got <= 0) received.message = Message{};
  if (const cmsghdr* attached = CMSG_FIRSTHDR(&header); attached != nullptr && got > 0)
    std::memcpy(&received.descriptor, CMSG_DATA(attached), sizeof(int));
  return received;
}

inline void tell(int socket, Point point, int descriptor = -1) {
  Message message;
  message.type = MessageType::reached;
  message.point = point;
  iovec part{&message, sizeof message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* attached = CMSG_FIRSTHDR(&header);
    attached->cmsg_level = SOL_SOCKET;
    attached->cmsg_type = SCM_RIGHTS;
    attached->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(attached), &descriptor, sizeof(int));
  }
  ASSERT_EQ(sendmsg(socket, &header, MSG_NOSIGNAL), static_cast<ssize_t>(sizeof message));
}

inline int connect_to(const fs::path& path) {
  const int socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return socket_fd;
}

inline int listen_at(const fs::path& path) {
  const int socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(socket_fd, 4), 0);
  return socket_fd;
}

/// A directory that goes away with the test.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/davit-init-test-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline constexpr unsigned long kPrivate = MS_PRIVATE | MS_REC;

/// mount(2): sys/mount.h and linux/mount.h cannot be included together.
inline long mount_call(const char* source, const char* target, const char* type, unsigned long flags,
                       const char* data) {
  return syscall(SYS_mount, source, target, type, flags, data);
}

/// Private, as pivot_root(2) wants it: under systemd all mounts are shared, and so are their clones.
inline int clone_tree(const fs::path& path, bool recursive = false) {
  const unsigned recurse = recursive ? AT_RECURSIVE : 0u;
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recurse;
  const long tree = syscall(SYS_open_tree, AT_FDCWD, path.c_str(), flags);
  mount_attr attributes{};
  attributes.propagation = MS_PRIVATE;
  syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | recurse, &attributes, sizeof attributes);
  return static_cast<int>(tree);
}

inline int sealed_memfd(const char* name, const void* bytes, std::size_t size, bool sealed = true) {
  const int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (write(file, bytes, size) != static_cast<ssize_t>(size)) return -1;
  if (sealed) fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  return file;
}

/// A started image: its pid and the host's end of the channel.
struct Started {
  pid_t pid = -1;
  int channel = -1;

  Started(pid_t started, int socket) : pid(started), channel(socket) {}
  Started(Started&& other) noexcept : pid(other.pid), channel(other.channel) {
    other.pid = other.channel = -1;
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  Started& operator=(Started&&) = delete;
  ~Started() {
    if (channel >= 0) close(channel);
    if (pid > 0) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }
  /// Exit code, or 128 + signal.
  int wait() {
    int status = 0;
    waitpid(pid, &status, 0);
    pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

/// Starts the real freestanding image with the program. `prepare` runs in the child before execveat.
inline Started start_image(program::Program program, program::Slot channel,
                           const std::function<void()>& prepare = {}) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) abort();
  if (channel != program::kNoSlot) program.inherit(channel, pair[1]);
  const int image = sealed_memfd("davit-init", davit_init_image_begin,
                                 static_cast<std::size_t>(davit_init_image_end - davit_init_image_begin));
  const int code = sealed_memfd("program", program.image.data(), program.image.size());
  const pid_t pid = fork();
  if (pid == 0) {
    for (const int inherited : program.inherited) fcntl(inherited, F_SETFD, 0);
    fcntl(code, F_SETFD, 0);
    if (prepare) prepare();
    std::string number = std::to_string(code);
    char name[] = "davit-init";
    char offset[] = "0";
    std::string size = std::to_string(program.image.size());
    char* const arguments[] = {name, number.data(), offset, size.data(), nullptr};
    char* const environment[] = {nullptr};
    syscall(SYS_execveat, image, "", arguments, environment, AT_EMPTY_PATH);
    _exit(97);
  }
  close(image);
  close(code);
  close(pair[1]);
  return {pid, pair[0]};
}

/// Runs `body` in a child with a mount namespace of its own; its failed expectations fail the test.
inline void in_child(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount_call(nullptr, "/", nullptr, kPrivate, nullptr) != 0) _exit(98);
    // Where /tmp is a tmpfs of systemd's, devices do not work in it.
    mount_call(nullptr, "/tmp", nullptr, MS_REMOUNT | MS_BIND, nullptr);
    body();
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child says " << status;
}

/// Enters a user namespace of our own: every mount is locked as it is, and setgroups is denied.
inline void enter_user_namespace() {
  ASSERT_EQ(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
  for (const auto& [file, text] :
       {std::pair("setgroups", "deny"), {"uid_map", "0 0 1"}, {"gid_map", "0 0 1"}}) {
    const int map = open((std::string("/proc/self/") + file).c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(write(map, text, std::strlen(text)), static_cast<ssize_t>(std::strlen(text))) << file;
    close(map);
  }
}

/// Operations for the hosted init, and a scratch directory that is their root.
struct OperationTest : testing::Test {
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root for mounts";
    fs::create_directories(rootfs);
    root = builder.reserve();
  }
  /// Performs what the builder holds, with the rootfs as root.
  Message perform() {
    program::Program program = builder.finish();
    const int directory = open(rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    program.inherit(root, directory);
    for (const auto& [slot, descriptor] : inherited) program.inherit(slot, descriptor);
    const Message message = init::perform_all(program.image.data());
    root = builder.reserve();
    return message;
  }
  program::MountFilesystem tmpfs(const char* target) {
    program::MountFilesystem mount;
    mount.type = builder.text("tmpfs");
    mount.source = builder.text("tmpfs");
    mount.target.path = builder.text(target);
    mount.root = root;
    return mount;
  }
  void write_file(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    EXPECT_EQ(write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(file);
  }

  Scratch scratch;
  fs::path rootfs = scratch / "root";
  program::Builder builder;
  program::Slot root{};
  std::vector<std::pair<program::Slot, int>> inherited;
};

inline struct stat status_of(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  return info;
}

/// Nobody can change owner or mode of what is there, because of how it is mounted. Asks for what is so
/// already: it may be an inode of the host.
inline void expect_unchangeable(const fs::path& path) {
  const struct stat info = status_of(path);
  EXPECT_EQ(chmod(path.c_str(), info.st_mode & 07777), -1) << path;
  EXPECT_EQ(errno, EROFS) << path;
  EXPECT_EQ(chown(path.c_str(), info.st_uid, info.st_gid), -1) << path;
  EXPECT_EQ(errno, EROFS) << path;
}

inline bool is_mounted(const fs::path& path) {
  return status_of(path).st_dev != status_of(path.parent_path()).st_dev;
}

inline std::string read_file(const fs::path& path) {
  std::string text(4096, '\0');
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = file < 0 ? 0 : read(file, text.data(), text.size());
  if (file >= 0) close(file);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

/// "OK", or what failed.
inline std::string say(const Message& message) {
  if (message.type == MessageType{}) return "OK";
  return std::string("operation ") + std::to_string(message.operation) + ": " + std::strerror(message.error) +
         " (detail " + std::to_string(static_cast<int>(message.detail)) + ") " + message.text;
}

}  // namespace davit::init_test
