// SPDX-License-Identifier: Apache-2.0
// The clauses of the specification that apply to Linux: clauses.tsv, which travels inside of the program.
#pragma once

#include <string>
#include <vector>

namespace spec_tests {

struct Clause {
  std::string id;       ///< "config-41": the line of the file config.md
  std::string level;    ///< MUST, SHOULD, MAY, or FIELD: what describes a property
  std::string section;  ///< the anchor in the file
  std::string reason;   ///< why no test from outside can check it; empty: there is one
};

/// All of them, in the order of the specification.
const std::vector<Clause>& catalogue();
/// The clause of that id; null if there is none.
const Clause* find_clause(const std::string& id);
/// "config.md" and "41" of "config-41".
std::string file_of(const std::string& id);
std::string line_of(const std::string& id);
/// Where the clause can be read.
std::string link_to(const Clause& clause);

}  // namespace spec_tests
