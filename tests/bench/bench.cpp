// SPDX-License-Identifier: Apache-2.0
// The benchmark: every runtime in every round, in an order thrown anew each time, so that whatever else the
// machine does meets all alike. `run` in this folder builds everything and calls it; see tests/README.md.
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "bench.hpp"

namespace davit::bench {

const std::array<const char*, kOperations> kOperationNames = {"run",  "create", "state",  "start",
                                                              "exec", "kill",   "delete", "life"};

std::string key(const Runtime& runtime, const std::string& bundle, Operation operation) {
  return runtime.label + "," + bundle +
         (operation == kOperations ? "" : std::string(",") + kOperationNames[operation]);
}

namespace {

constexpr int kWarmUp = 2;
volatile sig_atomic_t interrupted = 0;

// One thing to do in a round.
struct Unit {
  const Runtime* runtime;
  std::string bundle;
  bool life;
};

class Rounds {
 public:
  Rounds(const Options& options, Results& results) : options_(options), results_(results) {
    for (const Runtime& runtime : options.runtimes) {
      for (const std::string& bundle : options.bundles) {
        if (options.wanted[kRun]) units_.push_back({&runtime, bundle, false});
        for (int i = kCreate; i < kOperations; i++) {
          if (!options.wanted[i]) continue;
          units_.push_back({&runtime, bundle, true});
          break;
        }
      }
    }
    if (!options.csv.empty()) csv_.open(options.csv, std::ios::app);
  }

  void measure() {
    std::mt19937 random(20);
    for (int round = -kWarmUp; round < options_.rounds && interrupted == 0; round++) {
      std::shuffle(units_.begin(), units_.end(), random);
      counts_ = round >= 0;
      for (const Unit& unit : units_) {
        if (interrupted != 0) return;
        if (unit.life) {
          life_cycle(unit);
        } else {
          one_run(unit);
        }
        while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
      }
    }
  }

 private:
  void note(const Unit& unit, Operation operation, const Outcome& outcome) {
    if (!counts_) return;
    const std::string name = key(*unit.runtime, unit.bundle, operation);
    Series& series = results_.series[name];
    if (outcome.status != 0) {
      series.failures++;
      return;
    }
    series.wall.push_back(outcome.wall);
    series.cpu.push_back(outcome.cpu);
    if (csv_) csv_ << name << "," << outcome.wall << "," << outcome.cpu << "\n";
  }

  Outcome timed(const Commander& commander, Operation operation, const std::string& id) const {
    if (options_.gap > 0) usleep(static_cast<useconds_t>(options_.gap) * 1000);
    return commander.run(operation, id);
  }

  void one_run(const Unit& unit) {
    const Commander commander(options_, *unit.runtime, unit.bundle,
                              options_.payload == "none" ? "nothing" : "true");
    const std::string id = new_id();
    const Outcome outcome = timed(commander, kRun, id);
    note(unit, kRun, outcome);
    if (outcome.status != 0) commander.clean_up(id);
  }

  void life_cycle(const Unit& unit) {
    const Commander commander(options_, *unit.runtime, unit.bundle, "pause");
    const std::string id = new_id();
    Outcome life{0, 0, 0, 0};
    for (const Operation operation : {kCreate, kState, kStart, kState, kExec, kKill, kDelete}) {
      const Outcome outcome = timed(commander, operation, id);
      note(unit, operation, outcome);
      if (outcome.status != 0) {
        commander.clean_up(id);
        return;
      }
      life.wall += outcome.wall;
      life.cpu += outcome.cpu;
      if (operation == kKill) life.cpu += reap(commander.container_pid());
    }
    note(unit, kLife, life);
  }

  // Waits until the container's init is gone; its CPU time, as nobody else accounts for it.
  static double reap(pid_t pid) {
    rusage used{};
    for (int tries = 0; tries < 3000; tries++) {
      const pid_t got = wait4(pid, nullptr, WNOHANG, &used);
      if (got == pid || (got < 0 && kill(pid, 0) != 0)) break;
      usleep(1000);
    }
    const timeval both = {used.ru_utime.tv_sec + used.ru_stime.tv_sec,
                          used.ru_utime.tv_usec + used.ru_stime.tv_usec};
    return static_cast<double>(both.tv_sec) * 1e3 + static_cast<double>(both.tv_usec) / 1e3;
  }

  const Options& options_;
  Results& results_;
  std::vector<Unit> units_;
  std::ofstream csv_;
  bool counts_ = false;
};

[[noreturn]] void usage(const char* wrong) {
  fprintf(stderr, "bench: not understood: %s (see tests/README.md)\n", wrong);
  exit(2);
}

Words split(const std::string& text) {
  Words words;
  std::istringstream stream(text);
  std::string word;
  while (std::getline(stream, word, ',')) words.push_back(word);
  return words;
}

void want(Options& options, const std::string& list) {
  for (const std::string& word : split(list)) {
    const auto known = std::find(kOperationNames.begin(), kOperationNames.end(), word);
    if (known == kOperationNames.end()) usage(word.c_str());
    options.wanted[static_cast<size_t>(known - kOperationNames.begin())] = true;
  }
}

// "crun version 1.8.1" gives "crun-1.8.1", so that several of a kind can stand side by side.
std::string label_of(const std::string& kind, const std::string& path) {
  FILE* pipe = popen(("'" + path + "' --version 2>/dev/null").c_str(), "r");
  char name[64] = "", version[64] = "";
  const int found = pipe == nullptr ? 0 : fscanf(pipe, "%63s version %63s", name, version);
  if (pipe != nullptr) pclose(pipe);
  return found == 2 && kind != "davit" ? kind + "-" + version : kind;
}

void add_runtime(Options& options, Role role, const std::string& kind, const std::string& path) {
  if (access(path.c_str(), X_OK) != 0) {
    printf("note: %s is left out, there is no %s\n", kind.c_str(), path.c_str());
    return;
  }
  const bool named = role == Role::kFloor || role == Role::kExtra;
  std::string label = named ? kind : label_of(kind, path);
  for (const Runtime& other : options.runtimes)
    if (other.label == label) label += "'";
  options.runtimes.push_back({role, label, path});
}

void parse_pair(Options& options, const std::string& name, const std::string& value) {
  if (name == "--floor" || name == "--extra") {
    const size_t equals = value.find('=');
    if (equals == std::string::npos) usage(value.c_str());
    add_runtime(options, name == "--floor" ? Role::kFloor : Role::kExtra, value.substr(0, equals),
                value.substr(equals + 1));
  } else if (name == "--davit") {
    add_runtime(options, Role::kDavit, "davit", value);
  } else if (name == "--crun") {
    add_runtime(options, Role::kCrun, "crun", value);
  } else if (name == "--runc") {
    add_runtime(options, Role::kRunc, "runc", value);
  } else if (name == "--rounds") {
    options.rounds = std::max(1, atoi(value.c_str()));
  } else if (name == "--gap") {
    options.gap = atoi(value.c_str());
  } else if (name == "--only") {
    want(options, value);
  } else if (name == "--bundle") {
    options.bundles = split(value);
  } else if (name == "--bundles") {
    options.bundle_folder = value;
  } else if (name == "--helpers") {
    options.helper_folder = value;
  } else if (name == "--payload") {
    options.payload = value;
  } else if (name == "--csv") {
    options.csv = value;
  } else if (name == "--json") {
    options.json = value;
  } else if (name == "--svg") {
    options.svg = value;
  } else if (name == "--scale") {
    for (const std::string& count : split(value)) options.scale.push_back(std::max(1, atoi(count.c_str())));
  } else if (name == "--parallel") {
    for (const std::string& count : split(value))
      options.parallel.push_back(std::max(1, atoi(count.c_str())));
  } else {
    usage(name.c_str());
  }
}

Options parse(const Words& words) {
  Options options;
  for (size_t i = 1; i < words.size(); i++) {
    if (words[i] == "--check") {
      options.check = true;
    } else if (words[i] == "--rt") {
      options.real_time = true;
    } else if (words[i] == "--no-inspect") {
      options.inspect = false;
    } else if (i + 1 < words.size()) {
      parse_pair(options, words[i], words[i + 1]);
      i++;
    } else {
      usage(words[i].c_str());
    }
  }
  if (options.payload != "busybox" && options.payload != "none") usage(options.payload.c_str());
  for (const std::string& bundle : options.bundles)
    if (bundle != "plain" && bundle != "podman") usage(bundle.c_str());
  const auto& wanted = options.wanted;
  if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) options.wanted.fill(true);
  return options;
}

void prepare(Options& options) {
  mkdir("/run/davit-bench", 0700);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signal(SIGINT, [](int) { interrupted = 1; });
  signal(SIGTERM, [](int) { interrupted = 1; });
  std::vector<Runtime> working;
  for (Runtime& runtime : options.runtimes)
    if (probe(options, runtime)) working.push_back(runtime);
  options.runtimes = working;
  const sched_param priority{1};
  if (options.real_time && sched_setscheduler(0, SCHED_RR, &priority) != 0)
    perror("note: no real-time priority");
}

// The runtimes take turns, and what counts is the best of three turns.
void measure_rates(const Options& options, Results& results) {
  for (const std::string& bundle : options.bundles)
    for (const int at_once : options.parallel)
      for (int turn = 0; turn < 3; turn++)
        for (const Runtime& runtime : options.runtimes) {
          if (interrupted != 0) return;
          double& best = results.rates[key(runtime, bundle) + "," + std::to_string(at_once)];
          best = std::max(best, rate(options, runtime, bundle, at_once));
        }
}

int measure(const Words& words) {
  Options options = parse(words);
  prepare(options);
  Results results;
  Rounds(options, results).measure();
  if (options.inspect && interrupted == 0) {
    for (const Runtime& runtime : options.runtimes)
      for (const std::string& bundle : options.bundles)
        results.footprints[key(runtime, bundle)] = inspect(options, runtime, bundle);
  }
  measure_rates(options, results);
  if (!options.scale.empty() && interrupted == 0) measure_scale(options, results);
  print_tables(options, results);
  write_json(options, results);
  write_plot(options, results);
  const bool passed = print_goals(options, results);
  return options.check && !passed ? 1 : 0;
}

}  // namespace
}  // namespace davit::bench

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  return davit::bench::measure({argv, argv + argc});
}
