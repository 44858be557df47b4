// SPDX-License-Identifier: Apache-2.0
// The command line of spec-tests.
#pragma once

#include <string>
#include <vector>

#include "support/view.hpp"

namespace spec_tests {

struct Options {
  std::string runtime;
  std::string filter;
  std::string suite = "spec";
  support::View view = support::View::host;
  std::vector<std::string> reports;
  std::vector<std::string> merged;
  std::vector<std::string> googletest;  ///< options that are GoogleTest's
  int patience = 20;                    ///< seconds to wait for what should come
  int seconds = 5;                      ///< for each scenario of the suite faults
  bool verbose = false;
  bool help = false;
};

/// Why these words cannot be understood, or "".
std::string read_options(const std::vector<std::string>& words, Options& options);
const char* help_text();

}  // namespace spec_tests
