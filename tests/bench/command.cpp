// SPDX-License-Identifier: Apache-2.0
// Running one command of a runtime, and knowing what it took.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "bench.hpp"

namespace davit::bench {
namespace {

constexpr const char* kStates = "/run/davit-bench";

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + time.tv_usec / 1e3;
}

std::vector<char*> pointers(Words& words) {
  std::vector<char*> made;
  for (std::string& word : words) made.push_back(word.data());
  made.push_back(nullptr);
  return made;
}

}  // namespace

double milliseconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string new_id() {
  static int count = 0;
  return "bench-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

Commander::Commander(const Options& options, const Runtime& runtime, const std::string& bundle,
                     const std::string& program)
    : runtime_(runtime),
      folder_(options.bundle_folder + "/" + bundle + "-" + program),
      pid_file_(std::string(kStates) + "/pid"),
      exec_program_(options.payload == "none" ? "/bin/nothing" : "/bin/true"),
      environment_{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"} {
  if (runtime.preload) environment_.push_back("LD_PRELOAD=" + options.helper_folder + "/memlock.so");
  if (runtime.role != Role::kFloor) return;
  std::ifstream facts(folder_ + "/floor.env");
  std::string line;
  while (std::getline(facts, line)) environment_.push_back(line);
}

Words Commander::words(Operation operation, const std::string& id) const {
  Words made = {runtime_.path, "--root", std::string(kStates) + "/" + runtime_.label,
                kOperationNames[operation]};
  if (operation == kRun || operation == kCreate) made.insert(made.end(), {"--bundle", folder_});
  if (operation == kCreate) made.insert(made.end(), {"--pid-file", pid_file_});
  made.push_back(id);
  if (operation == kExec) made.push_back(exec_program_);
  if (operation == kKill) made.push_back("KILL");
  return made;
}

Outcome Commander::execute(Words words, int output) const {
  Words environment = environment_;
  const std::vector<char*> arguments = pointers(words), variables = pointers(environment);
  static const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, nowhere, 0);
  for (int target : {1, 2})
    posix_spawn_file_actions_adddup2(&actions, output >= 0 ? output : nowhere, target);
  Outcome outcome{127, 0, 0, 0};
  pid_t pid = 0;
  const double begin = milliseconds_now();
  if (posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), variables.data()) == 0) {
    rusage used{};
    while (wait4(pid, &outcome.status, 0, &used) < 0 && errno == EINTR) continue;
    outcome.wall = milliseconds_now() - begin;
    outcome.cpu = milliseconds(used.ru_utime) + milliseconds(used.ru_stime);
    outcome.faults = used.ru_minflt;
  }
  posix_spawn_file_actions_destroy(&actions);
  return outcome;
}

Outcome Commander::run(Operation operation, const std::string& id, const Words& prefix, int output) const {
  Words all = prefix;
  const Words own = words(operation, id);
  all.insert(all.end(), own.begin(), own.end());
  return execute(all, output);
}

Outcome Commander::list() const {
  return execute({runtime_.path, "--root", std::string(kStates) + "/" + runtime_.label, "list"});
}

Outcome Commander::clean_up(const std::string& id) const {
  return execute(
      {runtime_.path, "--root", std::string(kStates) + "/" + runtime_.label, "delete", "--force", id});
}

pid_t Commander::container_pid() const {
  return static_cast<pid_t>(atoi(text_of(pid_file_).c_str()));
}

}  // namespace davit::bench
