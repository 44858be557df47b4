// SPDX-License-Identifier: Apache-2.0
#include "support/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>
#include <thread>

#include "support/sandbox.hpp"

namespace support {
namespace {

using Clock = std::chrono::steady_clock;

std::set<pid_t>& own_children() {
  static std::set<pid_t> pids;
  return pids;
}

int decode(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Fd scratch() {
  return Fd(open(Sandbox::get().dir().c_str(), O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0666));
}

std::string content(const Fd& file) {
  std::string text;
  char buffer[8192];
  ssize_t count = 0;
  while ((count = pread(file.get(), buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0)
    text.append(buffer, static_cast<std::size_t>(count));
  return text;
}

[[noreturn]] void become(const std::vector<std::string>& argv, const Options& options, int in, int out,
                         int err) {
  // Numbers that are both source and target must not be trodden on: lift the sources first.
  std::vector<std::pair<int, int>> plan = {{in, 0}, {out, 1}, {err, 2}};
  for (const auto& pair : options.fds) {
    plan.erase(std::remove_if(plan.begin(), plan.end(), [&](auto& it) { return it.second == pair.second; }),
               plan.end());
    plan.push_back(pair);
  }
  for (auto& pair : plan) pair.first = fcntl(pair.first, F_DUPFD_CLOEXEC, 200);
  for (const auto& pair : plan) dup2(pair.first, pair.second);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (options.in_child) options.in_child();
  if (!options.cwd.empty() && chdir(options.cwd.c_str()) != 0) _exit(126);
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> environment;
  for (const auto& entry : options.env) environment.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; !options.only_env && *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  execvpe(arguments[0], arguments.data(), environment.data());
  dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
  _exit(127);
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> pids;
  const std::string base = "/proc/" + std::to_string(pid) + "/task/";
  for (const auto& thread : list_dir(base))
    for (const auto& child : split(read_file(base + thread + "/children"), ' '))
      if (!child.empty()) pids.push_back(static_cast<pid_t>(std::stol(child)));
  return pids;
}

}  // namespace

std::string Outcome::all() const {
  return "status " + std::to_string(status) + "\nstdout: " + out + "\nstderr: " + err;
}

Child::Child(const std::vector<std::string>& argv, const Options& options)
    : timeout_ms_(options.timeout_ms), name_(argv[0]), out_(scratch()), err_(scratch()) {
  for (std::size_t i = 1; i < argv.size() && i < 8; ++i) name_ += " " + argv[i];
  // Never the host's /dev/null: crun gives what it finds there to the container's user.
  const Fd in = scratch();
  if (write(in.get(), options.input.data(), options.input.size()) < 0) ADD_FAILURE() << strerror(errno);
  lseek(in.get(), 0, SEEK_SET);
  pid_ = fork();
  if (pid_ == 0) become(argv, options, in.get(), out_.get(), err_.get());
  own_children().insert(pid_);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      timeout_ms_(other.timeout_ms_),
      name_(std::move(other.name_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

Child::~Child() {
  if (pid_ < 0 || own_children().count(pid_) == 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  own_children().erase(pid_);
}

std::string Child::out() const {
  return content(out_);
}
std::string Child::err() const {
  return content(err_);
}
void Child::kill(int signal) const {
  ::kill(pid_, signal);
}

Outcome Child::wait() {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  pollfd poll_for = {pidfd.get(), POLLIN, 0};
  if (poll(&poll_for, 1, timeout_ms_) == 0) {
    ADD_FAILURE() << "no end after " << timeout_ms_ << " ms: " << name_ << "\n" << out() << err();
    kill(SIGKILL);
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  own_children().erase(pid_);
  return {decode(status), out(), err()};
}

Outcome run(const std::vector<std::string>& argv, const Options& options) {
  return Child(argv, options).wait();
}

int& patience_ms() {
  static int patience = 60000;
  return patience;
}

bool eventually(const std::function<bool()>& condition, int timeout_ms) {
  const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::vector<pid_t> descendants() {
  std::vector<pid_t> found;
  std::vector<pid_t> todo = children_of(getpid());
  while (!todo.empty()) {
    const pid_t pid = todo.back();
    todo.pop_back();
    if (alive(pid)) found.push_back(pid);
    for (const pid_t child : children_of(pid)) todo.push_back(child);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void reap_orphans() {
  for (const pid_t pid : children_of(getpid()))
    if (own_children().count(pid) == 0) waitpid(pid, nullptr, WNOHANG);
}

int wait_orphan(pid_t pid, int timeout_ms) {
  int status = 0;
  int result = -1;
  eventually(
      [&] {
        const pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid) result = decode(status);
        // ECHILD may only mean that the runtime has not handed it to us yet.
        return got == pid || (got < 0 && !alive(pid));
      },
      timeout_ms);
  return result;
}

bool has_capability(unsigned number) {
  const std::string status = read_file("/proc/self/status");
  const auto at = status.find("CapEff:\t");
  return at != std::string::npos && (std::stoull(status.substr(at + 8, 16), nullptr, 16) >> number & 1U) != 0;
}

bool alive(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() && stat[end + 2] != 'Z' && stat[end + 2] != 'X';
}

}  // namespace support
