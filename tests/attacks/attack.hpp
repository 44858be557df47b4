// SPDX-License-Identifier: Apache-2.0
// What all attacks have in common: something of the host's that must not change, and victims to try.
#pragma once

#include <string>

#include "support/fixture.hpp"

namespace support {

class Attack : public ContainerTest {
 protected:
  Attack();
  void TearDown() override;
  /// A container that does nothing until its end.
  std::string idle(Bundle& bundle);
  /// A program outside of the container that exchanges two names as fast as it can, until it is killed.
  static Child exchange(const std::string& one, const std::string& other);
  /// The probe inside of a container, when it has begun: `exec ID probe WORD…`.
  Child attacker(const std::string& id, std::vector<std::string> words);
  /// How often a race is run; few would prove nothing.
  static int rounds() { return number_from_env("DAVIT_TEST_RACES", 300); }

  TempDir canary{"canary"};
  std::string before;
};

}  // namespace support
