// SPDX-License-Identifier: Apache-2.0
#include "davit/cli/main.hpp"

int main(int argc, char** argv) {
  return davit::cli::main(argc, argv);
}
