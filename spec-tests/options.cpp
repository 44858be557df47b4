// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <cstdlib>

namespace spec_tests {
namespace {

bool set_view(const std::string& word, Options& options) {
  if (word == "host") options.view = support::View::host;
  if (word == "v1") options.view = support::View::v1;
  if (word == "v2") options.view = support::View::v2;
  return word == "host" || word == "v1" || word == "v2";
}

/// Takes an option that has a value; why it cannot be taken, or "".
std::string take(const std::string& name, const std::string& value, Options& options) {
  if (name == "--runtime") {
    options.runtime = value;
  } else if (name == "--filter") {
    options.filter = value;
  } else if (name == "--report") {
    options.reports.push_back(value);
  } else if (name == "--patience") {
    options.patience = static_cast<int>(strtol(value.c_str(), nullptr, 10));
    if (options.patience <= 0) return "--patience wants seconds";
  } else if (name == "--seconds") {
    options.seconds = static_cast<int>(strtol(value.c_str(), nullptr, 10));
    if (options.seconds <= 0) return "--seconds wants seconds";
  } else if (name == "--suite") {
    if (value != "spec" && value != "attacks" && value != "faults" && value != "all")
      return "no suite is called " + value;
    options.suite = value;
  } else if (name == "--view") {
    if (!set_view(value, options)) return "no view is called " + value;
  } else {
    return "no option is called " + name;
  }
  return "";
}

}  // namespace

std::string read_options(const std::vector<std::string>& words, Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help" || word == "-h") {
      options.help = true;
      return "";
    }
    if (word == "--verbose") {
      options.verbose = true;
    } else if (word.rfind("--gtest_", 0) == 0) {
      options.googletest.push_back(word);
    } else if (word == "--merge") {
      while (i + 1 < words.size() && words[i + 1].rfind("--", 0) != 0) options.merged.push_back(words[++i]);
      if (options.merged.empty()) return "--merge wants JSON reports";
    } else if (const auto equals = word.find('='); equals != std::string::npos) {
      if (auto why = take(word.substr(0, equals), word.substr(equals + 1), options); !why.empty()) return why;
    } else if (i + 1 == words.size()) {
      return word.rfind("--", 0) == 0 ? word + " wants a value" : "unexpected: " + word;
    } else {
      if (auto why = take(word, words[++i], options); !why.empty()) return why;
    }
  }
  if (options.runtime.empty() && options.merged.empty()) return "--runtime PATH is missing";
  if (!options.merged.empty() && options.reports.empty()) return "--merge wants a --report to write";
  return "";
}

const char* help_text() {
  return R"(spec-tests: puts an OCI runtime to the clauses of the runtime specification

  spec-tests --runtime PATH [OPTIONS]
  spec-tests --merge A.json B.json … --report OUT.html

Needs root, a kernel and itself: the programs that run in the containers are inside of it. What is tested
is decided by what the runtime says of itself in `features` and `--version`, never by its name.

  --runtime PATH     the runtime to test
  --suite NAME       spec (default), attacks (what hostile images and processes have done), faults (a system
                     call of a command fails, or its process dies there), or all
  --filter PATTERN   tests to run, as GoogleTest's filter: 'Mounts.*:-*Idmapped*'
  --view v1|v2|host  what the machine's cgroups look like to the runtime; default: as they are
  --report FILE      .html, .json, .xml (JUnit), .tap, or text by the name; may be repeated
  --merge FILE…      makes reports of runs that were written as .json
  --patience SECONDS how long to wait for what should come; default: 20
  --seconds SECONDS  how long the suite faults disturbs each of its scenarios; default: 5
  --verbose          GoogleTest's own output
  --help             this text

Ends with 0 if nothing failed, 1 if something did, 2 if it could not be run. A clause has passed, failed, is
not applicable (the runtime says that it lacks what it is about), or not tested (the host lacks what the test
needs, or nothing of it can be seen from outside).
)";
}

}  // namespace spec_tests
