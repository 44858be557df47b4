// SPDX-License-Identifier: Apache-2.0
#include "davit/base/notice.hpp"

#include <utility>

namespace davit {

namespace {
std::function<void(const Error&)> current;
}

void set_speaker(std::function<void(const Error&)> speaker) {
  current = std::move(speaker);
}

void announce(const Error& what) {
  if (current) current(what);
}

}  // namespace davit
