// Each test names the clauses of the specification that it checks: a file and a line of runtime-spec, as in
// clauses.tsv.
#pragma once

#include <string>
#include <vector>

#include "support/fixture.hpp"

namespace spec_tests {

using support::Bundle;
using support::Child;
using support::Json;
using support::Outcome;
using support::TempDir;

/// Notes that the running test checks these clauses, and names them in every failure of the scope.
std::string note_clauses(const std::vector<std::string>& ids);

class SpecTest : public support::ContainerTest {
 protected:
  /// What probe reports of a process with that configuration, one item per line.
  std::string report(const Json& config);
};

/// True if `report` has that whole line.
bool has_line(const std::string& report, const std::string& line);

}  // namespace spec_tests

#define CLAUSE(...) SCOPED_TRACE(::spec_tests::note_clauses({__VA_ARGS__}))
