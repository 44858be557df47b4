// SPDX-License-Identifier: Apache-2.0
// What the parts of the benchmark share. Containers are made one at a time; all times are in milliseconds,
// all sizes in kB.
#pragma once

#include <sys/types.h>

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace davit::bench {

using Words = std::vector<std::string>;

enum class Role { kFloor, kDavit, kCrun, kRunc, kExtra };

// One program to be measured.
struct Runtime {
  Role role;
  std::string label;
  std::string path;
  bool preload = false;  // memlock.so
};

// What is measured, in the order in which a life cycle does it; kLife is the sum of create to delete, and its
// CPU includes that of the container's init.
enum Operation { kRun, kCreate, kState, kStart, kExec, kKill, kDelete, kLife, kOperations };
extern const std::array<const char*, kOperations> kOperationNames;

struct Options {
  std::vector<Runtime> runtimes;
  Words bundles = {"plain", "podman"};
  std::string bundle_folder, helper_folder, payload = "busybox", csv;
  std::array<bool, kOperations> wanted{};
  std::string json, svg;
  std::vector<int> parallel;  // how many at once, for runs per second
  std::vector<int> scale;     // how many containers there are beside, for the rows of scale
  int rounds = 40, gap = 0;
  bool check = false, real_time = false, inspect = true;
};

// The samples of one operation of one runtime with one bundle.
struct Series {
  std::vector<double> wall, cpu;
  int failures = 0;
};

// What does not need many rounds; -1 where it could not be found out.
struct Footprint {
  long calls = -1, forks = -1, threads = -1, executions = -1;  // of one run
  long faults = -1;                                            // minor ones, of the runtime and its children
  long peak = -1;                                              // of the runtime and its children
  long init = -1;                                              // of a container that is created
  long cgroup = -1;  // of a container that runs a payload without libc
};

struct Results {
  std::map<std::string, Series> series;  // by key()
  std::map<std::string, Footprint> footprints;
  std::map<std::string, double> rates;  // runs per second, by key() and "," and how many at once
  Words scale_rows;                     // in the order in which they are shown
  std::map<std::pair<std::string, std::string>, Series> scale;  // by row and runtime
};

std::string key(const Runtime& runtime, const std::string& bundle, Operation operation = kOperations);

// The end of one command.
struct Outcome {
  int status;
  double wall, cpu;
  long faults;
};

// Runs commands for one runtime and one bundle.
class Commander {
 public:
  // program: "true", "nothing" or "pause", what the container executes.
  Commander(const Options& options, const Runtime& runtime, const std::string& bundle,
            const std::string& program);
  Words words(Operation operation, const std::string& id) const;
  // A prefix is put in front, e.g. strace and its options. stdout and stderr go to `output`, or nowhere.
  Outcome run(Operation operation, const std::string& id, const Words& prefix = {}, int output = -1) const;
  Outcome execute(Words words, int output = -1) const;
  // Of all containers of this runtime.
  Outcome list() const;
  // delete --force
  Outcome clean_up(const std::string& id) const;
  pid_t container_pid() const;

 private:
  const Runtime& runtime_;
  std::string folder_, pid_file_, exec_program_;
  Words environment_;
};

double milliseconds_now();
std::string text_of(const std::string& path);
std::string new_id();

// False if the runtime cannot run the bundle here; says why, and switches memlock.so on where that helps.
bool probe(const Options& options, Runtime& runtime);

// Runs per second of so many at once; -1: one failed.
double rate(const Options& options, const Runtime& runtime, const std::string& bundle, int at_once);

// Where there are many containers, mounts and variables.
void measure_scale(const Options& options, Results& results);

Footprint inspect(const Options& options, const Runtime& runtime, const std::string& bundle);

// -1: no values.
double median(const std::vector<double>& values);

// The medians as a picture.
void write_plot(const Options& options, const Results& results);

// The least, the quartiles and the median of all that was measured, for programs.
void write_json(const Options& options, const Results& results);
void print_tables(const Options& options, const Results& results);

// PASS or FAIL per goal; false if any failed.
bool print_goals(const Options& options, const Results& results);

}  // namespace davit::bench
