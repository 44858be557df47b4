// SPDX-License-Identifier: Apache-2.0
// How many containers a second, several at once: what one waits for, another may hold.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "bench.hpp"

namespace davit::bench {
namespace {

constexpr int kLeastRuns = 48;

// One of those that work side by side; ends with 0 if all of its runs did.
[[noreturn]] void work(const Commander& commander, int number, int runs) {
  for (int i = 0; i < runs; i++) {
    const std::string id =
        "bench-" + std::to_string(getpid()) + "-" + std::to_string(number) + "-" + std::to_string(i);
    if (commander.run(kRun, id).status == 0) continue;
    commander.clean_up(id);
    _exit(1);
  }
  _exit(0);
}

}  // namespace

double rate(const Options& options, const Runtime& runtime, const std::string& bundle, int at_once) {
  const Commander commander(options, runtime, bundle, options.payload == "none" ? "nothing" : "true");
  const int runs = std::max(2, kLeastRuns / at_once);
  std::vector<pid_t> workers;
  const double begin = milliseconds_now();
  for (int i = 0; i < at_once; i++) {
    const pid_t pid = fork();
    if (pid == 0) work(commander, i, runs);
    if (pid > 0) workers.push_back(pid);
  }
  bool failed = workers.size() != static_cast<size_t>(at_once);
  for (const pid_t worker : workers) {
    int status = 0;
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR) continue;
    failed = failed || status != 0;
  }
  const double took = milliseconds_now() - begin;
  return failed ? -1 : 1e3 * at_once * runs / took;
}

}  // namespace davit::bench
