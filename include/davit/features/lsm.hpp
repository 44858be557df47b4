// SPDX-License-Identifier: Apache-2.0
// AppArmor profile and SELinux label of the container's process.
#pragma once

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"

namespace davit::lsm {

/// write_label for the coming execve. A profile or label that this kernel cannot enforce is an error; the
/// AppArmor profile "unconfined" is fine without AppArmor.
Result<void> compile_labels(features::Compilation& out, const spec::Process& process);

/// Explains a failed write_label of `process` ("profile not loaded"); leaves other errors alone.
void explain_label_failure(const spec::Process& process, Error& error);

}  // namespace davit::lsm
