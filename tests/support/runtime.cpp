// SPDX-License-Identifier: Apache-2.0
#include "support/runtime.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "support/sandbox.hpp"

namespace support {
namespace {

std::string name_of(const std::string& path) {
  static std::map<std::string, std::string> names;
  auto at = names.find(path);
  if (at != names.end()) return at->second;
  const Outcome outcome = run({path, "--version"});
  const std::string name = outcome.out.substr(0, outcome.out.find(' '));
  return names.emplace(path, name).first->second;
}

/// Made at the first call; gone with the sandbox.
std::string copy_for_users(const std::string& path) {
  static std::map<std::string, std::string> copies;
  auto at = copies.find(path);
  if (at != copies.end()) return at->second;
  const std::string directory = Sandbox::get().dir() + "/for-users" + std::to_string(copies.size());
  make_dirs(directory);
  const std::string copy = directory + "/" + path.substr(path.rfind('/') + 1);
  write_file(copy, read_file(path), 0755);
  return copies.emplace(path, copy).first->second;
}

}  // namespace

bool& peers_are_excused() {
  static bool excused = true;
  return excused;
}

Runtime::Runtime(std::string path, std::string root)
    : path_(std::move(path)), root_(std::move(root)), name_(name_of(path_)) {
  // crun refuses a hybrid host whose v2 part has controllers.
  if (peers_are_excused() && name_ == "crun" && has_v1("memory") && has_v2("hugetlb")) view = View::v1;
}

std::string Runtime::path_under_test() {
  for (const char* variable : {"RUNTIME", "DAVIT_RUNTIME"})
    if (const char* value = getenv(variable); value != nullptr && *value != '\0') return value;
  return runtime_by_default();
}

std::vector<std::string> Runtime::argv(const std::vector<std::string>& args) const {
  std::vector<std::string> all = {path_, "--root", root_};
  all.insert(all.end(), global_options.begin(), global_options.end());
  all.insert(all.end(), args.begin(), args.end());
  return all;
}

Options Runtime::with_view(Options options) const {
  if (auto change = enter(view)) {
    options.in_child = [change, next = options.in_child] {
      change();
      if (next) next();
    };
    if (options.cwd.empty()) options.cwd = "/";
  }
  return options;
}

Outcome Runtime::operator()(const std::vector<std::string>& args, const Options& options) const {
  return start(args, options).wait();
}

Child Runtime::start(const std::vector<std::string>& args, const Options& options) const {
  return {argv(args), with_view(options)};
}

Outcome Runtime::as_user(unsigned user, std::vector<std::string> args) const {
  args.insert(args.begin(), copy_for_users(path_));
  return run(args, {.cwd = "/", .in_child = [user] {
                      if (setgroups(0, nullptr) != 0 || setresgid(user, user, user) != 0 ||
                          setresuid(user, user, user) != 0)
                        _exit(99);
                    }});
}

Json Runtime::state(const std::string& id) const {
  reap_orphans();
  const Outcome outcome = (*this)({"state", id});
  return outcome.ok() ? Json::parse(outcome.out) : Json();
}

}  // namespace support
