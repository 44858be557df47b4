// SPDX-License-Identifier: Apache-2.0
// What HTML and XML have in common.
#pragma once

#include <string>

namespace spec_tests {

/// Text that is nothing but text there, inside of attributes too.
std::string escaped(const std::string& text);

}  // namespace spec_tests
