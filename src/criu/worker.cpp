// SPDX-License-Identifier: Apache-2.0
#include "davit/criu/worker.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"

namespace davit::criu {
namespace {

constexpr const char* kUsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kMaximumMessage = 64 << 10;
constexpr int kPatience = 10'000;  // milliseconds, for one that has nothing left to do

Error not_there() {
  Error error = make_error(Code::unsupported, "no criu in $PATH");
  return error.advise("install CRIU, which checkpoints and restores: the package criu");
}

Result<std::string> find_program() {
  const char* given = ::getenv("PATH");
  std::string_view list = given != nullptr && *given != '\0' ? given : kUsualPath;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(':'), list.size());
    const std::string program = std::string(list.substr(0, end)) + "/criu";
    const auto status = sys::stat_at(sys::current_directory(), program);
    if (program.starts_with('/') && status.ok() && S_ISREG(status->st_mode) &&
        ::access(program.c_str(), X_OK) == 0)
      return program;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return not_there();
}

/// What the child tells of a failure before it is CRIU.
struct Failure {
  int errno_value = 0;
  char call[32] = {};
};

// Between fork and exec: system calls alone.
class Child {
 public:
  Child(const Birth& birth, sys::FdRef report) : birth_(birth), report_(report) {}

  [[noreturn]] void become(const char* program, sys::FdRef channel, const char* number) const {
    reset_signals();
    if (!birth_.in_callers_group) ::setpgid(0, 0);
    if (!birth_.root.empty()) mount_root();
    keep(channel);
    for (const sys::FdRef descriptor : birth_.descriptors) keep(descriptor);
    const char* const arguments[] = {"criu", "swrk", number, nullptr};
    ::execv(program, const_cast<char* const*>(arguments));
    fail("exec");
  }

 private:
  static void reset_signals() {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) ::signal(signal, SIG_DFL);
  }
  /// What is mounted here ends with CRIU, however that ends; the container gets a namespace of its own.
  void mount_root() const {
    if (::unshare(CLONE_NEWNS) < 0) fail("unshare");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) fail("make mounts slaves");
    if (::mount(birth_.root.c_str(), birth_.mount_point.c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0)
      fail("mount the rootfs");
    if (::mount(nullptr, birth_.mount_point.c_str(), nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
      fail("make the rootfs private");
  }
  void keep(sys::FdRef descriptor) const {
    if (::fcntl(descriptor.number(), F_SETFD, 0) < 0) fail("fcntl");
  }
  [[noreturn]] void fail(const char* call) const {
    Failure failure;
    failure.errno_value = errno;
    for (std::size_t i = 0; i + 1 < sizeof failure.call && call[i] != '\0'; ++i) failure.call[i] = call[i];
    (void)!::write(report_.number(), &failure, sizeof failure);
    ::_exit(127);
  }

  const Birth& birth_;
  sys::FdRef report_;
};

/// Waits until the child is CRIU, or has said why it is not.
Result<void> check_born(sys::FdRef report) {
  Failure failure;
  ssize_t count = 0;
  do count = ::read(report.number(), &failure, sizeof failure);
  while (count < 0 && errno == EINTR);
  if (count == 0) return {};
  failure.call[sizeof failure.call - 1] = '\0';
  return system_error(count == sizeof failure ? failure.errno_value : errno,
                      std::string("start criu: ") + failure.call);
}

std::string number_text(Version version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

Error refusal(const Response& response, std::string_view what) {
  Text<768> message("criu ");
  message.append(what);
  if (!response.error.empty()) message.append(": ").append(response.error);
  return response.errno_value > 0 ? system_error(response.errno_value, message)
                                  : make_error(Code::system, message);
}

}  // namespace

Result<Worker> Worker::start(const Birth& birth, sys::FdRef channel, sys::UniqueFd channel_end) {
  const std::string program = TRY(find_program());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error(errno, "pipe");
  const sys::UniqueFd report = sys::UniqueFd::adopt(ends[0]);
  sys::UniqueFd report_end = sys::UniqueFd::adopt(ends[1]);
  const std::string number = std::to_string(channel_end.number());
  Worker worker;
  worker.channel_ = channel;
  worker.pid_ = ::fork();
  if (worker.pid_ < 0) return system_error(errno, "fork");
  if (worker.pid_ == 0) Child(birth, report_end).become(program.c_str(), channel_end, number.c_str());
  worker.pidfd_ = TRY(sys::open_pidfd(worker.pid_));
  // Our copies would hide its end from us.
  channel_end.reset();
  report_end.reset();
  TRY(check_born(report));
  return worker;
}

Result<Worker> Worker::start(const Birth& birth) {
  auto channel = TRY(sys::packet_pair());
  Worker worker = TRY(start(birth, channel.first, std::move(channel.second)));
  worker.own_channel_ = std::move(channel.first);
  return worker;
}

void Worker::end() {
  if (!pidfd_.valid()) return;
  (void)::shutdown(channel_.number(), SHUT_RDWR);
  const auto ended = sys::wait_end(pidfd_, kPatience);
  if (!ended.ok() || !*ended) (void)sys::send_signal(pidfd_, SIGKILL);
  (void)sys::wait_for(pid_);
  pidfd_.reset();
}

Result<Response> Worker::hear(sys::UniqueFd& descriptor) {
  const sys::Sign sign = TRY(sys::wait_sign(channel_, pidfd_, -1));
  std::string buffer(kMaximumMessage, '\0');
  sys::Received received;
  if (sign == sys::Sign::word) received = TRY(sys::receive_with_fd(channel_, buffer.data(), buffer.size()));
  if (sys::Interruption::has_come()) return make_error(Code::system, "interrupted");
  if (received.size == 0) return make_error(Code::system, "criu ended without an answer");
  if (received.is_truncated) return make_error(Code::system, "criu sent more than its protocol knows");
  descriptor = std::move(received.descriptor);
  return decode(std::string_view(buffer).substr(0, received.size));
}

Result<Response> Worker::ask(const Request& request, const Notified& notified) {
  const std::string bytes = encode(request);
  TRY(sys::send_with_fd(channel_, bytes.data(), bytes.size(), {}));
  for (;;) {
    sys::UniqueFd descriptor;
    Response response = TRY(hear(descriptor));
    if (response.type != Type::notify) {
      // A failure before it knew what was asked for bears no type.
      if (response.type != request.type && response.success)
        return make_error(Code::system, "criu answered what it was not asked");
      return response;
    }
    const auto done = notified ? notified(response, std::move(descriptor)) : Result<void>();
    const std::string answer = encode_answer(done.ok());
    const auto sent = sys::send_with_fd(channel_, answer.data(), answer.size(), {});
    if (!done.ok()) return done.error();
    if (!sent.ok() && sent.error().errno_value != EPIPE) return sent.error();
  }
}

Result<Version> check_version(Version oldest) {
  Worker worker = TRY(Worker::start({}));
  const Response response = TRY(worker.ask({.type = Type::version}, {}));
  if (!response.success || response.version == 0)
    return refusal(response, "does not tell its version")
        .advise("it is too old, or no CRIU: version " + number_text(oldest) + " or newer is needed");
  if (response.version >= oldest) return response.version;
  Error error = make_error(Code::unsupported, "criu is too old: version " + number_text(response.version));
  return error.advise("install CRIU " + number_text(oldest) + " or newer");
}

Result<void> check_features(const Features& wanted) {
  Worker worker = TRY(Worker::start({}));
  const Response response = TRY(worker.ask({.type = Type::feature_check, .features = wanted}, {}));
  if (!response.success) return refusal(response, "does not tell what it can do");
  const char* missing = wanted.memory_tracking && !response.features.memory_tracking ? "memory tracking"
                        : wanted.lazy_pages && !response.features.lazy_pages         ? "lazy pages"
                                                                                     : nullptr;
  if (missing == nullptr) return {};
  Error error = make_error(Code::unsupported, std::string("criu or the kernel lacks ") + missing);
  return error.advise("`criu check --feature mem_dirty_track` (or uffd-noncoop) says which of them");
}

}  // namespace davit::criu
