// SPDX-License-Identifier: Apache-2.0
// What a run has found, written for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "results.hpp"

namespace spec_tests {

/// The failures, clause by clause, and the counts; lines that begin with "clauses: " are for scripts.
std::string text_report(const Run& run);
/// All runs in one document.
std::string json_report(const std::vector<Run>& runs);
/// The runs of such a document; empty if it is none.
std::vector<Run> runs_from(const std::string& json);
/// One page without anything outside of it: the runtimes side by side.
std::string html_report(const std::vector<Run>& runs);
/// Test Anything Protocol, a line per clause.
std::string tap_report(const std::vector<Run>& runs);
/// JUnit's XML, a test case per test.
std::string junit_report(const std::vector<Run>& runs);
/// The form is that of the file's name: .html, .json, .xml, .tap, or text.
std::string report_for(const std::string& file, const std::vector<Run>& runs);

}  // namespace spec_tests
