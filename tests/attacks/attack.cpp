// SPDX-License-Identifier: Apache-2.0
#include "attacks/attack.hpp"

#include "support/payload.hpp"

namespace support {

Attack::Attack() {
  write_file(canary / "file", "canary");
  before = fingerprint(canary.path());
}

void Attack::TearDown() {
  EXPECT_EQ(fingerprint(canary.path()), before) << "the host was touched";
  ContainerTest::TearDown();
}

std::string Attack::idle(Bundle& bundle) {
  bundle.args({"/bin/sleep", "1000"});
  return start(bundle);
}

Child Attack::exchange(const std::string& one, const std::string& other) {
  Child racer({probe(), "swap", one, other}, {});
  EXPECT_TRUE(eventually([&] { return racer.out().find("ready") != std::string::npos; })) << racer.err();
  return racer;
}

Child Attack::attacker(const std::string& id, std::vector<std::string> words) {
  words.insert(words.begin(), {"exec", id, "/bin/probe"});
  Child child = runtime.start(words, {.timeout_ms = 120000});
  EXPECT_TRUE(eventually([&] { return child.out().find("ready") != std::string::npos; })) << child.err();
  return child;
}

}  // namespace support
