// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "fuzz/config_harness.hpp"
#include "fuzz/filters.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  davit::fuzz::on_config = davit::fuzz::compare_filters;
  davit::fuzz::exercise_config({reinterpret_cast<const char*>(data), size});
  return 0;
}
