#include "support/runtime.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

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

}  // namespace

Runtime::Runtime(std::string path, std::string root)
    : path_(std::move(path)), root_(std::move(root)), name_(name_of(path_)) {
  // crun refuses a hybrid host whose v2 part has controllers.
  if (name_ == "crun" && has_v1("memory") && has_v2("hugetlb")) view = View::v1;
}

std::string Runtime::path_under_test() {
  for (const char* variable : {"RUNTIME", "DAVIT_RUNTIME"})
    if (const char* value = getenv(variable); value != nullptr && *value != '\0') return value;
  return DAVIT_BINARY;
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

Json Runtime::state(const std::string& id) const {
  reap_orphans();
  const Outcome outcome = (*this)({"state", id});
  return outcome.ok() ? Json::parse(outcome.out) : Json();
}

}  // namespace support
