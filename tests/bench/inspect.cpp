// SPDX-License-Identifier: Apache-2.0
// What needs one look instead of many rounds: system calls, memory, and whether a runtime works here at all.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "bench.hpp"

namespace davit::bench {
namespace {

constexpr const char* kTrace = "/run/davit-bench/trace";
constexpr const char* kPeak = "/run/davit-bench/peak";

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// A line of strace -f: "1234  name(arguments) = result", perhaps split in two where another process came
// between.
void count_line(const std::string& line, Footprint& footprint) {
  const size_t begin = line.find_first_not_of(" 0123456789");
  if (begin == std::string::npos) return;
  const std::string call = line.substr(begin);
  const bool resumed = call.rfind("<... ", 0) == 0;
  if (!resumed && (call[0] == '+' || call[0] == '-' || call[0] == '<')) return;
  const std::string name = resumed ? call.substr(5, call.find(' ', 5) - 5) : call.substr(0, call.find('('));
  const bool succeeded = call.size() > 4 && call.compare(call.size() - 4, 4, " = 0") == 0;
  if (name.rfind("execve", 0) == 0 && succeeded) footprint.executions++;
  if (resumed) return;
  footprint.calls++;
  if (name != "clone" && name != "clone3" && name != "fork" && name != "vfork") return;
  if (contains(call, "CLONE_THREAD")) {
    footprint.threads++;
  } else {
    footprint.forks++;
  }
}

void count_calls(const Options& options, const Runtime& runtime, const std::string& bundle,
                 Footprint& footprint) {
  if (access("/usr/bin/strace", X_OK) != 0) return;
  const Commander commander(options, runtime, bundle, "nothing");
  const std::string id = new_id();
  if (commander.run(kRun, id, {"/usr/bin/strace", "-f", "-qq", "-o", kTrace}).status != 0) {
    commander.clean_up(id);
    return;
  }
  footprint.calls = footprint.forks = footprint.threads = footprint.executions = 0;
  std::ifstream trace(kTrace);
  std::string line;
  while (std::getline(trace, line)) count_line(line, footprint);
}

// The peak of a process is at least that of the process which spawned it, hence a spawner that is tiny.
void measure_peak(const Options& options, const Runtime& runtime, const std::string& bundle,
                  Footprint& footprint) {
  const Commander commander(options, runtime, bundle, "nothing");
  const std::string id = new_id();
  if (const Outcome outcome = commander.run(kRun, id); outcome.status == 0) footprint.faults = outcome.faults;
  if (commander.run(kRun, id, {options.helper_folder + "/peak", kPeak}).status == 0) {
    footprint.peak = atol(text_of(kPeak).c_str());
  } else {
    commander.clean_up(id);
  }
}

long resident_kilobytes(pid_t pid) {
  std::istringstream lines(text_of("/proc/" + std::to_string(pid) + "/smaps_rollup"));
  std::string line;
  while (std::getline(lines, line))
    if (line.rfind("Rss:", 0) == 0) return atol(line.c_str() + 4);
  return -1;
}

// memory.peak of the process's cgroup on v2, memory.max_usage_in_bytes on v1; where the controller is.
long cgroup_peak(pid_t pid) {
  std::istringstream lines(text_of("/proc/" + std::to_string(pid) + "/cgroup"));
  std::string line, text;
  while (std::getline(lines, line)) {
    const std::string path = line.substr(line.find(':', line.find(':') + 1) + 1);
    if (line.rfind("0::", 0) == 0 && text.empty()) text = text_of("/sys/fs/cgroup" + path + "/memory.peak");
    if (contains(line, ":memory:"))
      text = text_of("/sys/fs/cgroup/memory" + path + "/memory.max_usage_in_bytes");
  }
  return text.empty() ? -1 : atol(text.c_str()) / 1024;
}

void measure_container(const Options& options, const Runtime& runtime, const std::string& bundle,
                       Footprint& footprint) {
  const Commander commander(options, runtime, bundle, "pause");
  const std::string id = new_id();
  if (commander.run(kCreate, id).status == 0) {
    const pid_t pid = commander.container_pid();
    usleep(20000);
    footprint.init = resident_kilobytes(pid);
    if (commander.run(kStart, id).status == 0) {
      usleep(20000);
      footprint.cgroup = cgroup_peak(pid);
    }
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  commander.clean_up(id);
}

}  // namespace

Footprint inspect(const Options& options, const Runtime& runtime, const std::string& bundle) {
  Footprint footprint;
  count_calls(options, runtime, bundle, footprint);
  measure_peak(options, runtime, bundle, footprint);
  measure_container(options, runtime, bundle, footprint);
  return footprint;
}

bool probe(const Options& options, Runtime& runtime) {
  for (const std::string& bundle : options.bundles) {
    const int output = memfd_create("output", MFD_CLOEXEC);
    const std::string id = new_id();
    const Commander commander(options, runtime, bundle, "true");
    const int status = commander.run(kRun, id, {}, output).status;
    char message[400] = "";
    const ssize_t size = pread(output, message, sizeof message - 1, 0);
    close(output);
    if (status == 0 && size >= 0) continue;
    commander.clean_up(id);
    if (!runtime.preload && runtime.role != Role::kFloor && strstr(message, "RLIM_MEMLOCK") != nullptr) {
      runtime.preload = true;
      if (!probe(options, runtime)) return false;
      printf("note: %s runs with memlock.so preloaded (this root lacks CAP_SYS_RESOURCE)\n",
             runtime.label.c_str());
      return true;
    }
    printf("note: %s is left out, it cannot run the %s bundle here: %s\n", runtime.label.c_str(),
           bundle.c_str(), message);
    return false;
  }
  return true;
}

}  // namespace davit::bench
