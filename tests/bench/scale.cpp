// SPDX-License-Identifier: Apache-2.0
// Where there is much of something: containers beside the one that is meant, mounts on the host, variables
// and mounts in the config. The runtimes take turns here, too; the floor keeps no containers to be listed,
// and is left out.
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bench.hpp"

namespace davit::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 15;
constexpr int kHostMounts = 5000, kVariables = 5000, kConfigMounts = 1000;
constexpr const char* kManyMounts = "/run/davit-bench/many";

class Scale {
 public:
  Scale(const Options& options, Results& results) : options_(options), results_(results) {
    for (const Runtime& runtime : options.runtimes)
      if (runtime.role != Role::kFloor) runtimes_.push_back(&runtime);
  }

  void measure() {
    for (const int count : options_.scale) among_containers(count);
    make_config("environment", "\"env\": [", variables());
    row("run, " + std::to_string(kVariables) + " variables", "environment");
    make_config("mounts", "\"mounts\": [", mounts());
    row("run, " + std::to_string(kConfigMounts) + " mounts", "mounts");
    make_host_mounts();
    row("run, " + std::to_string(kHostMounts) + " on the host", "plain");
    umount2(kManyMounts, MNT_DETACH);
  }

 private:
  void note(const std::string& name, const Runtime& runtime, const Outcome& outcome) {
    Series& series = results_.scale[{name, runtime.label}];
    if (outcome.status != 0) {
      series.failures++;
      return;
    }
    series.wall.push_back(outcome.wall);
    series.cpu.push_back(outcome.cpu);
  }

  void begin_row(const std::string& name) { results_.scale_rows.push_back(name); }

  void row(const std::string& name, const std::string& bundle) {
    begin_row(name);
    for (int round = 0; round < kRounds; round++)
      for (const Runtime* runtime : runtimes_) {
        const Commander commander(options_, *runtime, bundle, "nothing");
        const std::string id = new_id();
        const Outcome outcome = commander.run(kRun, id);
        note(name, *runtime, outcome);
        if (outcome.status != 0) commander.clean_up(id);
      }
  }

  void among_containers(int count) {
    const std::string among = " among " + std::to_string(count);
    std::vector<std::vector<std::string>> made(runtimes_.size());
    for (size_t i = 0; i < runtimes_.size(); i++)
      for (int number = 0; number < count; number++) {
        const std::string id = new_id();
        if (commander(i).run(kCreate, id).status == 0) made[i].push_back(id);
      }
    const std::string list = "list of " + std::to_string(count);
    for (const std::string& name : {list, "state" + among, "create" + among, "delete" + among})
      begin_row(name);
    for (int round = 0; round < kRounds; round++)
      for (size_t i = 0; i < runtimes_.size(); i++) {
        note(list, *runtimes_[i], commander(i).list());
        if (!made[i].empty()) note("state" + among, *runtimes_[i], commander(i).run(kState, made[i].back()));
        const std::string id = new_id();
        note("create" + among, *runtimes_[i], commander(i).run(kCreate, id));
        note("delete" + among, *runtimes_[i], commander(i).clean_up(id));
      }
    for (size_t i = 0; i < runtimes_.size(); i++)
      for (const std::string& id : made[i]) commander(i).clean_up(id);
  }

  Commander commander(size_t i) const { return Commander(options_, *runtimes_[i], "plain", "pause"); }

  static std::string variables() {
    std::string text;
    for (int i = 0; i < kVariables; i++)
      text += "\"VARIABLE_" + std::to_string(i) + "=a value of some length\", ";
    return text;
  }

  std::string mounts() const {
    std::string text = R"({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}, )";
    for (int i = 0; i < kConfigMounts; i++)
      text += R"({"destination": "/tmp/)" + std::to_string(i) + R"(", "type": "bind", "source": ")" +
              options_.bundle_folder + R"(/files/hosts", "options": ["bind", "ro"]}, )";
    return text;
  }

  // The plain bundle, and more at the beginning of one of its lists.
  void make_config(const std::string& name, const std::string& list, const std::string& more) const {
    std::string text = text_of(options_.bundle_folder + "/plain-nothing/config.json");
    const size_t at = text.find(list);
    if (at != std::string::npos) text.insert(at + list.size(), more);
    const std::string folder = options_.bundle_folder + "/" + name + "-nothing";
    fs::create_directories(folder);
    std::ofstream(folder + "/config.json") << text;
  }

  // In the mount namespace of the benchmark, which is its own.
  static void make_host_mounts() {
    fs::create_directories(kManyMounts);
    if (mount("tmpfs", kManyMounts, "tmpfs", 0, nullptr) != 0) return perror("note: no mounts for the host");
    for (int i = 0; i < kHostMounts; i++) {
      const std::string place = std::string(kManyMounts) + "/" + std::to_string(i);
      mkdir(place.c_str(), 0700);
      if (mount(place.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0)
        return perror("note: fewer mounts");
    }
  }

  const Options& options_;
  Results& results_;
  std::vector<const Runtime*> runtimes_;
};

}  // namespace

void measure_scale(const Options& options, Results& results) {
  Scale(options, results).measure();
}

}  // namespace davit::bench
