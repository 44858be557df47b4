// SPDX-License-Identifier: Apache-2.0
// The groups of trials, in the order in which they are shown.
#pragma once

#include <vector>

#include "davit/doctor/doctor.hpp"
#include "doctor/attempt.hpp"

namespace davit::doctor {

using Diagnoses = std::vector<Diagnosis>;

void try_kernel(Diagnoses& out);       ///< release, namespaces, mounts, memory files, keyrings
void try_confinement(Diagnoses& out);  ///< seccomp and security modules
void try_cgroups(Diagnoses& out);
void try_caller(Diagnoses& out);  ///< ids, systemd, programs
void try_engines(Diagnoses& out);

/// "STEP: strerror"
std::string told(const Outcome& outcome);
/// The first line of a file of the kernel; empty: there is none.
std::string first_line(const std::string& path);
/// Where a program is in PATH; empty: nowhere.
std::string find_program(const std::string& name);
bool is_root();

}  // namespace davit::doctor
