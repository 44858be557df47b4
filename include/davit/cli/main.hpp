// SPDX-License-Identifier: Apache-2.0
// The command line.
#pragma once

namespace davit::cli {

/// The whole program: returns its exit status.
int main(int argc, char** argv);

}  // namespace davit::cli
