// SPDX-License-Identifier: Apache-2.0
// How wide the terminal is, and whether it has colours.
#pragma once

#include "davit/explain/render.hpp"

namespace davit::cli {

/// Of the standard output, or of another descriptor. Elsewhere than on a terminal it is 80 columns without
/// colour; COLUMNS and NO_COLOR (no-color.org) are heeded.
explain::Style output_style(int descriptor = 1);

}  // namespace davit::cli
