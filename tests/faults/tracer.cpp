// SPDX-License-Identifier: Apache-2.0
#include "faults/tracer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "faults/registers.hpp"
#include "support/process.hpp"
#include "support/sandbox.hpp"

namespace faults {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
constexpr int kSystemCallStop = SIGTRAP | 0x80;

/// wait(2) has no time limit: a timer that goes off again and again ends it.
class Ticks {
 public:
  Ticks() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, nullptr);
    const itimerval often = {{0, 50000}, {0, 50000}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~Ticks() {
    const itimerval never = {};
    setitimer(ITIMER_REAL, &never, nullptr);
  }
};

class Tracer {
 public:
  Tracer(const Command& command, const Fault& fault) : command_(command), fault_(fault) {}
  Result run();

 private:
  struct Tracee {
    std::size_t index = 0;  ///< in result_.processes
    bool skipped = false;   ///< stands at the entry of the call that is to fail
    long result = 0;        ///< what that call shall say
  };

  void launch();
  void add(pid_t pid, pid_t creator);
  bool take_stop(pid_t pid, int& status) const;
  pid_t next(int& status) const;
  void follow();
  void on_stop(pid_t pid, int status);
  void on_system_call(pid_t pid, Tracee& tracee);
  void on_event(pid_t pid, int event);
  void hit(pid_t pid, Tracee& tracee, long call);
  void resume(pid_t pid, int signal);
  void finish_call(pid_t pid);
  void let_go();
  void end_all();
  bool is_program_of_runtime(pid_t pid) const;
  bool is_late() const { return Clock::now() - begin_ > std::chrono::milliseconds(command_.limit_ms); }

  const Command& command_;
  const Fault& fault_;
  Clock::time_point begin_;
  pid_t parent_ = -1;
  bool ended_ = false;
  std::map<pid_t, Tracee> tracees_;
  std::set<pid_t> early_;  ///< stopped, and not yet announced by their creator
  support::Fd err_;
  Result result_;
};

support::Fd scratch() {
  return support::Fd(
      open(support::Sandbox::get().dir().c_str(), O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0666));
}

std::string content(const support::Fd& file) {
  std::string text(4096, '\0');
  const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

[[noreturn]] void become(const Command& command, int gate, int in, int err) {
  char byte = 0;
  if (read(gate, &byte, 1) != 1) _exit(126);
  dup2(in, 0);
  dup2(err, 1);
  dup2(err, 2);
  if (command.in_child) command.in_child();
  std::vector<char*> arguments;
  for (const auto& argument : command.argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

/// PTRACE_SEIZE, and the stop in which the process can be told to go on from call to call.
bool seize(pid_t pid) {
  return ptrace(PTRACE_SEIZE, pid, nullptr, kOptions) == 0 && ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0;
}

bool is_thread(pid_t pid) {
  const std::string status = support::read_file("/proc/" + std::to_string(pid) + "/status");
  const auto group = status.find("\nTgid:");
  return group != std::string::npos && atol(status.c_str() + group + 6) != pid;
}

pid_t parent_of(pid_t pid) {
  const std::string stat = support::read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto end = stat.rfind(')');
  return end == std::string::npos ? -1 : static_cast<pid_t>(atol(stat.c_str() + end + 4));
}

void Tracer::launch() {
  const support::Fd in = scratch();
  err_ = scratch();
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) abort();
  begin_ = Clock::now();
  parent_ = fork();
  if (parent_ == 0) become(command_, gate[0], in.get(), err_.get());
  if (!seize(parent_)) ADD_FAILURE() << "ptrace: " << strerror(errno);
  add(parent_, -1);
  if (command_.existing > 0 && seize(command_.existing)) {
    add(command_.existing, -1);
    result_.processes.back().role = "init";
  }
  if (write(gate[1], "", 1) != 1) abort();
  close(gate[0]);
  close(gate[1]);
}

void Tracer::add(pid_t pid, pid_t creator) {
  if (tracees_.count(pid) != 0) return;
  Process process{pid, tracees_.empty() && creator < 0 ? "parent" : "helper", {}};
  const auto maker = tracees_.find(creator);
  // A stage makes init as a child of the runtime (CLONE_PARENT), so that the runtime can wait for it.
  if (maker != tracees_.end() && creator != parent_ && parent_of(pid) == parent_) {
    process.role = "init";
    result_.processes[maker->second.index].role = "stage";
  }
  if (is_thread(pid)) process.role = "thread";
  tracees_[pid].index = result_.processes.size();
  result_.processes.push_back(std::move(process));
}

bool Tracer::is_program_of_runtime(pid_t pid) const {
  const std::string program = support::read_link("/proc/" + std::to_string(pid) + "/exe");
  return program.rfind("/memfd:", 0) == 0 || program == command_.argv[0];
}

void Tracer::hit(pid_t pid, Tracee& tracee, long call) {
  result_.was_hit = true;
  if (fault_.error == Fault::kKill) {
    kill(pid, SIGKILL);
    return;
  }
  tracee.skipped = true;
  // brk(2) itself knows no errno: it says where the end of the heap is.
  tracee.result = call == SYS_brk ? 0 : -fault_.error;
  // Whatever close(2) answers, the descriptor is gone.
  if (call != SYS_close) skip_call(pid);
}

void Tracer::on_system_call(pid_t pid, Tracee& tracee) {
  if (tracee.skipped) {
    tracee.skipped = false;
    set_result(pid, tracee.result);
    return;
  }
  __ptrace_syscall_info info{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return;
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return;
  Process& process = result_.processes[tracee.index];
  // Until it is the runtime's program, it is ours: what runs in the child that becomes it.
  if (pid == parent_ && process.calls.empty() && !is_program_of_runtime(pid)) return;
  process.calls.push_back(static_cast<long>(info.entry.nr));
  const bool is_target = static_cast<int>(tracee.index) == fault_.process && !result_.was_hit;
  if (is_target && process.calls.size() == fault_.call + 1) hit(pid, tracee, process.calls.back());
}

void Tracer::on_event(pid_t pid, int event) {
  unsigned long value = 0;
  if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
    if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &value) != 0) return;
    const auto made = static_cast<pid_t>(value);
    add(made, pid);
    if (early_.erase(made) != 0) resume(made, 0);
  } else if (event == PTRACE_EVENT_EXEC) {
    Process& process = result_.processes[tracees_[pid].index];
    if (is_program_of_runtime(pid)) {
      if (process.role == "helper") process.role = "init";
    } else {
      ptrace(PTRACE_DETACH, pid, 0, 0);
      tracees_.erase(pid);
    }
  }
}

void Tracer::resume(pid_t pid, int signal) {
  const auto tracee = tracees_.find(pid);
  if (tracee == tracees_.end()) return;
  const bool is_watched = fault_.process < 0 || tracee->second.skipped ||
                          (!result_.was_hit && static_cast<int>(tracee->second.index) == fault_.process);
  ptrace(is_watched ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, signal);
}

void Tracer::on_stop(pid_t pid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) {
    if (pid == parent_) {
      ended_ = true;
      result_.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    tracees_.erase(pid);
    return;
  }
  if (!WIFSTOPPED(status)) return;
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  // The first stop of a new process may come before the event that announces it.
  if (tracees_.count(pid) == 0) {
    early_.insert(pid);
    return;
  }
  if (signal == kSystemCallStop) {
    on_system_call(pid, tracees_[pid]);
    resume(pid, 0);
  } else if (event == PTRACE_EVENT_STOP && (signal == SIGSTOP || signal == SIGTSTP)) {
    ptrace(PTRACE_LISTEN, pid, 0, 0);
  } else if (event != 0) {
    on_event(pid, event);
    resume(pid, 0);
  } else {
    resume(pid, signal);
  }
}

/// What was there before stays a zombie as long as we follow, as with a parent that is not quicker than the
/// runtime: from who is reaped nobody else learns whether he had executed his program. So only its stops are
/// taken, and asked for alone: waitid(2) with WEXITED reports those, too.
bool Tracer::take_stop(pid_t pid, int& status) const {
  if (pid != command_.existing) return waitpid(pid, &status, __WALL | WNOHANG) == pid;
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG | __WALL) != 0 || info.si_pid != pid)
    return false;
  status = info.si_status << 8 | 0x7f;  // as wait(2) has it, with the event
  return true;
}

/// The next one that has stopped or ended; 0: nobody for now.
pid_t Tracer::next(int& status) const {
  if (command_.existing < 0) return waitpid(-1, &status, __WALL);
  // By number: whom nobody has announced yet has time.
  for (const auto& [pid, tracee] : tracees_)
    if (take_stop(pid, status)) return pid;
  return 0;
}

void Tracer::follow() {
  while (!ended_ && !result_.hung) {
    int status = 0;
    const pid_t pid = next(status);
    if (pid > 0)
      on_stop(pid, status);
    else if (pid == 0)
      usleep(200);
    else if (errno != EINTR)
      break;
    result_.hung = !ended_ && is_late();
  }
}

/// Who was made to skip a call when the command ended would else be told ENOSYS, whatever the fault.
void Tracer::finish_call(pid_t pid) {
  const auto tracee = tracees_.find(pid);
  if (tracee != tracees_.end() && tracee->second.skipped) set_result(pid, tracee->second.result);
}

/// Stops what is still traced, so that it can go on without us.
void Tracer::let_go() {
  for (const pid_t pid : early_) ptrace(PTRACE_DETACH, pid, 0, 0);
  for (const auto& [pid, tracee] : tracees_) ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  const auto end = Clock::now() + std::chrono::milliseconds(command_.limit_ms);
  while (!tracees_.empty() && Clock::now() < end) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == ECHILD) return;
    if (pid <= 0) continue;
    if (WIFSTOPPED(status)) {
      finish_call(pid);
      const bool is_signal = status >> 16 == 0 && WSTOPSIG(status) != kSystemCallStop;
      ptrace(PTRACE_DETACH, pid, 0, is_signal ? WSTOPSIG(status) : 0);
    }
    tracees_.erase(pid);
  }
}

void Tracer::end_all() {
  for (const auto& [pid, tracee] : tracees_) kill(pid, SIGKILL);
  while (!tracees_.empty()) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == ECHILD) return;
    if (pid > 0 && (WIFEXITED(status) || WIFSIGNALED(status))) tracees_.erase(pid);
    if (pid > 0 && WIFSTOPPED(status)) ptrace(PTRACE_CONT, pid, 0, 0);
  }
}

Result Tracer::run() {
  const Ticks ticks;
  launch();
  follow();
  result_.took_ms =
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_).count());
  if (result_.hung)
    end_all();
  else
    let_go();
  result_.err = content(err_);
  return std::move(result_);
}

}  // namespace

Result trace(const Command& command, const Fault& fault) {
  return Tracer(command, fault).run();
}

bool can_fail(long number) {
  return number != SYS_exit && number != SYS_exit_group && number != SYS_rt_sigreturn;
}

std::string call_name(long number) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
  std::string text = name == nullptr ? std::to_string(number) : name;
  free(name);
  return text;
}

}  // namespace faults
