// SPDX-License-Identifier: Apache-2.0
#include "doctor/attempt.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "davit/sys/process.hpp"

namespace davit::doctor {

/// What the child tells: a page that both have.
struct Steps::Shared {
  int errno_value;
  char step[128];
};

bool Steps::did(const char* step, long value) {
  if (value >= 0) return true;
  shared_->errno_value = errno;
  ::strncpy(shared_->step, step, sizeof shared_->step - 1);
  return false;
}

bool Steps::did(const char* step, const Result<void>& result) {
  if (result.ok()) return true;
  errno = result.error().errno_value;
  return did(step, -1);
}

Outcome attempt(const std::function<void(Steps&)>& work) {
  constexpr int kPatience = 10'000;  // milliseconds
  void* page =
      ::mmap(nullptr, sizeof(Steps::Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return {"mmap", errno};
  auto* shared = static_cast<Steps::Shared*>(page);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    // Whoever interrupts davit ends the attempt, too.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    Steps steps(shared);
    work(steps);
    ::_exit(0);
  }
  Outcome outcome;
  if (child < 0) {
    outcome = {"fork", errno};
  } else {
    const auto pidfd = sys::open_pidfd(child);
    const auto has_ended = pidfd.ok() ? sys::wait_end(*pidfd, kPatience) : Result<bool>(pidfd.error());
    if (!has_ended.ok() || !*has_ended) ::kill(child, SIGKILL);
    const auto status = sys::wait_for(child);
    outcome.step = shared->step;
    outcome.errno_value = shared->errno_value;
    const bool is_clean = status.ok() && *status == 0;
    if (!is_clean && outcome.ok()) outcome = {"does not answer", ETIMEDOUT};
  }
  ::munmap(page, sizeof(Steps::Shared));
  return outcome;
}

}  // namespace davit::doctor
