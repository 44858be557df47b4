// SPDX-License-Identifier: Apache-2.0
// The tables, and the goals that davit has set itself.
#include <stdio.h>

#include <algorithm>

#include "bench.hpp"

namespace davit::bench {
namespace {

// The value below which that part of all are, between two samples where it falls between them; -1: none.
double quantile(std::vector<double> values, double part) {
  if (values.empty()) return -1;
  std::sort(values.begin(), values.end());
  const double place = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

constexpr int kColumn = 19;

class Report {
 public:
  Report(const Options& options, const Results& results) : options_(options), results_(results) {}

  // -1 if there is no sample.
  double time(const Runtime& runtime, const std::string& bundle, Operation operation, bool cpu) const {
    const auto found = results_.series.find(key(runtime, bundle, operation));
    return found == results_.series.end() ? -1 : median(cpu ? found->second.cpu : found->second.wall);
  }
  const Runtime* first(Role role) const {
    for (const Runtime& runtime : options_.runtimes)
      if (runtime.role == role) return &runtime;
    return nullptr;
  }
  // The distance of the quartiles: how far the middle half of the samples is spread.
  double spread(const Runtime& runtime, const std::string& bundle, Operation operation, bool cpu) const {
    const auto found = results_.series.find(key(runtime, bundle, operation));
    if (found == results_.series.end()) return -1;
    const std::vector<double>& values = cpu ? found->second.cpu : found->second.wall;
    return quantile(values, 0.75) - quantile(values, 0.25);
  }
  // The fastest of a kind; -1 if there is none.
  double best(Role role, const std::string& bundle, Operation operation) const {
    double least = -1;
    for (const Runtime& runtime : options_.runtimes) {
      const double value = runtime.role == role ? time(runtime, bundle, operation, false) : -1;
      if (value >= 0 && (least < 0 || value < least)) least = value;
    }
    return least;
  }
  int failures(const Runtime& runtime, const std::string& bundle) const {
    int count = 0;
    for (int i = 0; i < kOperations; i++) {
      const auto found = results_.series.find(key(runtime, bundle, static_cast<Operation>(i)));
      if (found != results_.series.end()) count += found->second.failures;
    }
    return count;
  }

  void print_times(const std::string& bundle, bool cpu) const {
    const Runtime* floor = first(Role::kFloor);
    printf("\n%s, %s, %s payload: median ms ~distance of the quartiles (multiple of the floor)\n",
           bundle.c_str(), cpu ? "CPU" : "wall", options_.payload.c_str());
    print_head();
    for (int i = 0; i < kOperations; i++) {
      const auto operation = static_cast<Operation>(i);
      if (!options_.wanted[i]) continue;
      printf("%-21s", kOperationNames[i]);
      for (const Runtime& runtime : options_.runtimes) {
        const double value = time(runtime, bundle, operation, cpu);
        const double base = floor != nullptr ? time(*floor, bundle, operation, cpu) : -1;
        const double noise = spread(runtime, bundle, operation, cpu);
        char text[48] = "-";
        if (value >= 0 && base > 0)
          snprintf(text, sizeof text, "%.2f ~%.2f (%.2f)", value, noise, value / base);
        if (value >= 0 && base <= 0) snprintf(text, sizeof text, "%.2f ~%.2f", value, noise);
        printf(" %*s", kColumn, text);
      }
      printf("\n");
    }
  }

  void print_footprints(const std::string& bundle) const {
    const struct {
      const char* name;
      long Footprint::*value;
    } rows[] = {{"system calls of run", &Footprint::calls}, {"  forks", &Footprint::forks},
                {"  threads", &Footprint::threads},         {"  executions", &Footprint::executions},
                {"page faults of run", &Footprint::faults}, {"peak RSS of run, kB", &Footprint::peak},
                {"RSS of created init", &Footprint::init},  {"peak of cgroup, kB", &Footprint::cgroup}};
    printf("\n%s, payload without libc\n", bundle.c_str());
    print_head();
    for (const auto& row : rows) {
      printf("%-21s", row.name);
      for (const Runtime& runtime : options_.runtimes) {
        const auto found = results_.footprints.find(key(runtime, bundle));
        const long value = found == results_.footprints.end() ? -1 : found->second.*row.value;
        printf(" %*s", kColumn, value < 0 ? "-" : std::to_string(value).c_str());
      }
      printf("\n");
    }
  }

  void print_rates(const std::string& bundle) const {
    printf("\n%s, %s payload: runs per second, best of three turns\n", bundle.c_str(),
           options_.payload.c_str());
    print_head();
    for (const int at_once : options_.parallel) {
      printf("%-4d %-16s", at_once, "at once");
      for (const Runtime& runtime : options_.runtimes) {
        const auto found = results_.rates.find(key(runtime, bundle) + "," + std::to_string(at_once));
        char text[32] = "-";
        if (found != results_.rates.end() && found->second > 0)
          snprintf(text, sizeof text, "%.0f", found->second);
        printf(" %*s", kColumn, text);
      }
      printf("\n");
    }
  }

  void print_scale() const {
    printf("\nmuch of something, CPU: median ms ~distance of the quartiles\n");
    print_head();
    for (const std::string& row : results_.scale_rows) {
      printf("%-21s", row.c_str());
      for (const Runtime& runtime : options_.runtimes) {
        const auto found = results_.scale.find({row, runtime.label});
        char text[48] = "-";
        if (found != results_.scale.end() && !found->second.cpu.empty())
          snprintf(text, sizeof text, "%.2f ~%.2f", median(found->second.cpu),
                   quantile(found->second.cpu, 0.75) - quantile(found->second.cpu, 0.25));
        printf(" %*s", kColumn, text);
      }
      printf("\n");
    }
  }

  void print_failures() const {
    for (const Runtime& runtime : options_.runtimes)
      for (const std::string& bundle : options_.bundles)
        if (const int count = failures(runtime, bundle); count != 0)
          printf("note: %s failed %d times with %s; failures are not timed\n", runtime.label.c_str(), count,
                 bundle.c_str());
  }

 private:
  void print_head() const {
    printf("%-21s", "");
    for (const Runtime& runtime : options_.runtimes) printf(" %*s", kColumn, runtime.label.c_str());
    printf("\n");
  }

  const Options& options_;
  const Results& results_;
};

class Goals {
 public:
  // What cannot be measured here is neither passed nor failed.
  void at_most(const std::string& what, double value, double limit) {
    if (value < 0) return void(printf("  -     %-52s not measured\n", what.c_str()));
    const bool passed = value <= limit;
    passed_ = passed_ && passed;
    printf("  %s  %-52s %8.2f <= %g\n", passed ? "PASS" : "FAIL", what.c_str(), value, limit);
  }
  void exactly(const std::string& what, long value, long wanted) {
    if (value < 0) return void(printf("  -     %-52s not measured\n", what.c_str()));
    passed_ = passed_ && value == wanted;
    printf("  %s  %-52s %8ld == %ld\n", value == wanted ? "PASS" : "FAIL", what.c_str(), value, wanted);
  }
  bool passed() const { return passed_; }

 private:
  bool passed_ = true;
};

double ratio(double value, double base) {
  return value < 0 || base <= 0 ? -1 : value / base;
}

}  // namespace

double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

void print_tables(const Options& options, const Results& results) {
  const Report report(options, results);
  for (const std::string& bundle : options.bundles) {
    report.print_times(bundle, false);
    report.print_times(bundle, true);
    if (options.inspect) report.print_footprints(bundle);
    if (!options.parallel.empty()) report.print_rates(bundle);
  }
  if (!options.scale.empty()) report.print_scale();
  report.print_failures();
}

namespace {

// Labels are a program's word, and a path may be in them.
std::string quoted(const std::string& text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    made += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return made + '"';
}

void write_times(FILE* file, const char* name, const std::vector<double>& values) {
  fprintf(file, "\"%s\": {\"least\": %.4f, \"quartile1\": %.4f, \"median\": %.4f, \"quartile3\": %.4f}", name,
          quantile(values, 0), quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75));
}

}  // namespace

void write_json(const Options& options, const Results& results) {
  if (options.json.empty()) return;
  FILE* file = fopen(options.json.c_str(), "we");
  if (file == nullptr) return perror(options.json.c_str());
  const char* comma = "";
  fprintf(file, "{\"milliseconds\": {");
  for (const auto& [name, series] : results.series) {
    fprintf(file, "%s\n  %s: {\"samples\": %zu, \"failures\": %d, ", comma, quoted(name).c_str(),
            series.wall.size(), series.failures);
    write_times(file, "wall", series.wall);
    fprintf(file, ", ");
    write_times(file, "cpu", series.cpu);
    fprintf(file, "}");
    comma = ",";
  }
  fprintf(file, "},\n \"footprints\": {");
  comma = "";
  for (const auto& [name, footprint] : results.footprints) {
    fprintf(file, "%s\n  %s: {\"calls\": %ld, \"forks\": %ld, \"threads\": %ld, \"executions\": %ld, ", comma,
            quoted(name).c_str(), footprint.calls, footprint.forks, footprint.threads, footprint.executions);
    fprintf(file, "\"faults\": %ld, \"peak\": %ld, \"init\": %ld, \"cgroup\": %ld}", footprint.faults,
            footprint.peak, footprint.init, footprint.cgroup);
    comma = ",";
  }
  fprintf(file, "},\n \"runsPerSecond\": {");
  comma = "";
  for (const auto& [name, rate] : results.rates) {
    fprintf(file, "%s\n  %s: %.1f", comma, quoted(name).c_str(), rate);
    comma = ",";
  }
  fprintf(file, "},\n \"scale\": {");
  comma = "";
  for (const auto& [name, series] : results.scale) {
    fprintf(file, "%s\n  %s: {\"failures\": %d, ", comma, quoted(name.second + "," + name.first).c_str(),
            series.failures);
    write_times(file, "wall", series.wall);
    fprintf(file, ", ");
    write_times(file, "cpu", series.cpu);
    fprintf(file, "}");
    comma = ",";
  }
  fprintf(file, "}}\n");
  fclose(file);
}

bool print_goals(const Options& options, const Results& results) {
  const Report report(options, results);
  const Runtime* davit = report.first(Role::kDavit);
  const Runtime* floor = report.first(Role::kFloor);
  if (davit == nullptr) return printf("\nno davit, no goals\n"), false;
  printf("\ngoals\n");
  Goals goals;
  for (const std::string& bundle : options.bundles) {
    const auto against_crun = [&](Operation operation, double limit) {
      if (!options.wanted[operation]) return;
      const double value =
          ratio(report.time(*davit, bundle, operation, false), report.best(Role::kCrun, bundle, operation));
      goals.at_most(bundle + ": " + kOperationNames[operation] + ", wall, of the best crun", value, limit);
    };
    against_crun(kRun, 0.6);
    if (options.wanted[kRun] && floor != nullptr)
      goals.at_most(bundle + ": run, wall, of the floor (" + floor->label + ")",
                    ratio(report.time(*davit, bundle, kRun, false), report.time(*floor, bundle, kRun, false)),
                    1.8);
    against_crun(kExec, 0.6);
    for (const Operation operation : {kStart, kState, kKill, kDelete}) against_crun(operation, 0.5);
    goals.exactly(bundle + ": failures", report.failures(*davit, bundle), 0);
    const auto found = results.footprints.find(key(*davit, bundle));
    if (found == results.footprints.end()) continue;
    goals.at_most(bundle + ": system calls of run", static_cast<double>(found->second.calls), 300);
    goals.exactly(bundle + ": forks of run", found->second.forks, 1);
    goals.at_most(bundle + ": RSS of a created container's init, kB", static_cast<double>(found->second.init),
                  200);
  }
  return goals.passed();
}

}  // namespace davit::bench
