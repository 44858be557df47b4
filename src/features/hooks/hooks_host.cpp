// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>

#include "davit/base/notice.hpp"
#include "davit/base/story.hpp"
#include "davit/features/hooks.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"
#include "state.hpp"

namespace davit::hooks {
namespace {

constexpr std::size_t kKeptOutput = 256;         // of each stream, in the error
constexpr auto kLong = std::chrono::seconds(5);  // what users want to be told about
using Clock = std::chrono::steady_clock;

/// The reading end of a hook's stdout or stderr, and the end of what came through it.
struct Stream {
  sys::UniqueFd reader;
  std::string tail;

  /// Takes what is there; false at the end.
  bool take() {
    char chunk[4096];
    const ssize_t count = ::read(reader.number(), chunk, sizeof chunk);
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    if (count == 0) return false;
    tail.append(chunk, static_cast<std::size_t>(count));
    if (tail.size() > kKeptOutput) tail.erase(0, tail.size() - kKeptOutput);
    return true;
  }
  /// Takes what is left without waiting for grandchildren that keep the stream open.
  void drain() {
    struct pollfd entry = {reader.number(), POLLIN, 0};  // closed: poll(2) skips it
    // No more than a pipe holds, as they may go on for ever.
    for (int chunks = 0; chunks < 16; ++chunks)
      if (::poll(&entry, 1, 0) <= 0 || (entry.revents & POLLIN) == 0 || !take()) break;
    while (tail.ends_with('\n')) tail.pop_back();
  }
};

struct Running {
  pid_t pid = -1;
  sys::UniqueFd pidfd;
  Stream out;
  Stream err;
};

Result<sys::UniqueFd> make_stream(Stream& stream) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error(errno, "pipe");
  stream.reader = sys::UniqueFd::adopt(ends[0]);
  return sys::UniqueFd::adopt(ends[1]);
}

/// The state as a file: a hook that does not read it leaves nobody waiting and raises no SIGPIPE.
Result<sys::UniqueFd> make_input(const std::string& state) {
  sys::UniqueFd file = TRY(sys::sealed_memory("hook-state", {std::as_bytes(std::span(state))}, false));
  if (::lseek(file.number(), 0, SEEK_SET) < 0) return system_error(errno, "lseek hook-state");
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

/// The hook's own variables, or davit's; with --trace, the hook may go on with the trace.
std::vector<std::string> environment_of(const spec::Hook& hook) {
  std::vector<std::string> environment = hook.env ? *hook.env : own_environment({hook});
  story::continue_trace(environment);
  return environment;
}

/// posix_spawn with its two helper objects.
class Spawner {
 public:
  Spawner() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;
  ~Spawner() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  void connect(sys::FdRef descriptor, int as) {
    ::posix_spawn_file_actions_adddup2(&actions_, descriptor.number(), as);
  }
  /// Hooks start in the bundle, as with the peers; when it is gone (poststop) they start here.
  void start_in(const std::string& directory) {
    if (!directory.empty() && ::access(directory.c_str(), X_OK) == 0)
      ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  /// What davit's caller left open is not for hooks either; last of the actions.
  void keep_only_stdio() { ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1); }
  /// What people forget about programs that they write.
  static Error not_executed(const std::string& path, int code) {
    Error error = system_error(code, "exec " + path);
    const bool is_there = ::access(path.c_str(), F_OK) == 0;
    if (::access((path + "/.").c_str(), F_OK) == 0) error.advise("a hook is a program; this is a directory");
    if (code == EACCES && is_there) error.advise("a hook is a program: make it executable (chmod +x)");
    if (code == ENOEXEC) error.advise("it is neither an ELF program nor a script that begins with #!");
    if (code == ENOENT && is_there) error.advise("its interpreter, named in its first line, is not there");
    if (code == ENOENT && !is_there)
      error.advise("hooks are programs of the host: install it, or correct its path");
    return error;
  }
  Result<pid_t> spawn(const spec::Hook& hook) {
    const std::vector<std::string> only_path = {hook.path};
    const std::vector<char*> arguments = pointers(hook.args.empty() ? only_path : hook.args);
    const std::vector<std::string> environment = environment_of(hook);
    const std::vector<char*> variables = pointers(environment);
    pid_t pid = -1;
    const int code =
        ::posix_spawn(&pid, hook.path.c_str(), &actions_, &attributes_, arguments.data(), variables.data());
    if (code != 0) return not_executed(hook.path, code);
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Result<Running> start(const spec::Hook& hook, const std::string& state, const std::string& bundle) {
  Running running;
  const sys::UniqueFd input = TRY(make_input(state));
  const sys::UniqueFd out = TRY(make_stream(running.out));
  const sys::UniqueFd err = TRY(make_stream(running.err));
  Spawner spawner;
  spawner.connect(input, STDIN_FILENO);
  spawner.connect(out, STDOUT_FILENO);
  spawner.connect(err, STDERR_FILENO);
  spawner.start_in(bundle);
  spawner.keep_only_stdio();
  running.pid = TRY(spawner.spawn(hook));
  running.pidfd = TRY(sys::open_pidfd(running.pid));
  return running;
}

using Deadline = std::optional<Clock::time_point>;

/// Milliseconds for poll(2) until the sooner one; -1: no limit.
int time_left(const Deadline& one, const Deadline& other) {
  if (!one && !other) return -1;
  const Clock::time_point sooner = !one ? *other : !other ? *one : std::min(*one, *other);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(sooner - Clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left, 1000000000));
}

bool is_over(const Deadline& deadline) {
  return deadline && Clock::now() >= *deadline;
}

/// Collects the output until the hook has ended; false when time was up first. `slow` is called once if it
/// takes long.
Result<bool> attend(Running& running, const Deadline& deadline, const std::function<void()>& slow) {
  Deadline long_at = Clock::now() + kLong;
  for (;;) {
    // First, as a hook that never stops talking leaves no poll without an event.
    if (is_over(deadline)) return false;
    if (is_over(long_at)) {
      slow();
      long_at.reset();
    }
    struct pollfd entries[3] = {{running.pidfd.number(), POLLIN, 0},
                                {running.out.reader.number(), POLLIN, 0},
                                {running.err.reader.number(), POLLIN, 0}};
    const int count = ::poll(entries, 3, time_left(deadline, long_at));
    if (count < 0 && errno != EINTR) return system_error(errno, "poll hook");
    if (count <= 0) continue;
    if (entries[1].revents != 0 && !running.out.take()) running.out.reader.reset();
    if (entries[2].revents != 0 && !running.err.take()) running.err.reader.reset();
    if (entries[0].revents != 0) return true;
  }
}

Error failure(const spec::Hook& hook, std::string_view how, const Running& running) {
  Text<768> message(hook.path);
  message.append(": ")
      .append(how)
      .append(", stdout: ")
      .append(running.out.tail)
      .append(", stderr: ")
      .append(running.err.tail);
  return make_error(Code::hook_failed, message);
}

Error waiting_for(const spec::Hook& hook, Kind kind, std::size_t index) {
  Text<768> message("waiting for ");
  message.append(name_of(kind)).append(" hook #").append_number(static_cast<std::int64_t>(index));
  message.append(": ").append(hook.path).append(" is still running");
  return spec::at(hook.position, make_error(Code::hook_failed, message));
}

Result<void> run_one(const spec::Hook& hook, Kind kind, std::size_t index, const std::string& state,
                     const std::string& bundle) {
  const story::Span span(story::Actor::hook, name_of(kind), hook.path);
  Running running = TRY(start(hook, state, bundle));
  Deadline deadline;
  if (hook.timeout) deadline = Clock::now() + std::chrono::seconds(*hook.timeout);
  std::optional<sys::InterruptibleGroup> group(std::in_place, running.pid);
  const auto in_time = attend(running, deadline, [&] { announce(waiting_for(hook, kind, index)); });
  group.reset();
  // With all that it has started in its process group; it is not reaped yet, so the number is still its own.
  if (!in_time.ok() || !*in_time) (void)::kill(-running.pid, SIGKILL);
  const int status = TRY(sys::wait_for(running.pid));
  if (!in_time.ok()) return in_time.error();
  running.out.drain();
  running.err.drain();
  if (!*in_time)
    return failure(hook, "hook ran past specified timeout of " + std::to_string(*hook.timeout) + ".0s",
                   running);
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return failure(hook,
                   "signal: SIG" + std::string(name != nullptr ? name : std::to_string(WTERMSIG(status))),
                   running);
  }
  if (WEXITSTATUS(status) == 0) return {};
  std::string how = "exit status " + std::to_string(WEXITSTATUS(status));
  // The words that callers of crun look for.
  if (kind == Kind::poststop)
    how += " (poststop hook failed with exit code: " + std::to_string(WEXITSTATUS(status)) + ")";
  return failure(hook, how, running);
}

Error named(Error error, const spec::Hook& hook, Kind kind, std::size_t index) {
  Text<768> place("error running ");
  // Counted from 0, as callers of runc know it.
  place.append(name_of(kind)).append(" hook #").append_number(static_cast<std::int64_t>(index));
  error.code = Code::hook_failed;
  error.wrap(place);
  return spec::at(hook.position, error);
}

}  // namespace

std::vector<std::string> own_environment(const std::vector<spec::Hook>& hooks) {
  std::vector<std::string> result;
  const bool wanted = std::any_of(hooks.begin(), hooks.end(), [](const auto& hook) { return !hook.env; });
  for (char** entry = environ; wanted && entry != nullptr && *entry != nullptr; ++entry)
    result.emplace_back(*entry);
  return result;
}

Result<void> run(const spec::Hooks& hooks, Kind kind, const spec::State& state) {
  const std::vector<spec::Hook>& list = of(hooks, kind);
  if (list.empty()) return {};
  const std::string document = state_for(kind, state);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto done = run_one(list[i], kind, i, document, state.bundle);
    if (!done.ok()) return named(done.error(), list[i], kind, i);
  }
  return {};
}

Result<void> run_runtime_hooks(const spec::Hooks& hooks, const spec::State& state) {
  TRY(run(hooks, Kind::prestart, state));
  return run(hooks, Kind::create_runtime, state);
}

std::vector<Error> run_all(const spec::Hooks& hooks, Kind kind, const spec::State& state) {
  std::vector<Error> failures;
  const std::vector<spec::Hook>& list = of(hooks, kind);
  const std::string document = list.empty() ? std::string() : state_for(kind, state);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto done = run_one(list[i], kind, i, document, state.bundle);
    if (!done.ok()) failures.push_back(named(done.error(), list[i], kind, i));
  }
  return failures;
}

}  // namespace davit::hooks
