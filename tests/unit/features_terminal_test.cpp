// SPDX-License-Identifier: Apache-2.0
#include "davit/features/terminal.hpp"

#include <gtest/gtest.h>

#include "compiled.hpp"

namespace davit::terminal {
namespace {

using test::Compiled;

TEST(Terminal, ConsoleSocketGoesWithDetachedTerminalsOnly) {
  spec::Process with;
  with.terminal = true;
  const spec::Process without;
  EXPECT_TRUE(check(with, true, true).ok());
  EXPECT_TRUE(check(with, false, false).ok());
  EXPECT_TRUE(check(without, true, false).ok());
  EXPECT_TRUE(check(without, false, false).ok());
  EXPECT_EQ(check(with, true, false).error().message.view(),
            "cannot allocate tty if runc will detach without setting console socket");
  EXPECT_FALSE(check(with, false, true).ok());
  EXPECT_FALSE(check(without, true, true).ok());
  EXPECT_FALSE(check(without, false, true).ok());
}

TEST(Terminal, OpensAConsoleOrOwnsStdio) {
  spec::Process process;
  process.user.uid = 5;
  Compiled plain;
  compile(plain.out, process, true);
  plain.finish();
  EXPECT_EQ(plain.find<program::OwnStdio>()->uid, 5U);
  EXPECT_FALSE(plain.find<program::OpenConsole>());

  process.terminal = true;
  process.console_size = spec::ConsoleSize{24, 80};
  Compiled console;
  compile(console.out, process, true);
  console.finish();
  const auto operation = console.find<program::OpenConsole>();
  EXPECT_EQ(operation->rows, 24U);
  EXPECT_EQ(operation->columns, 80U);
  EXPECT_EQ(operation->uid, 5U);
  EXPECT_EQ(operation->bind_console, 1U);
  EXPECT_EQ(operation->clear_onlcr, 0U) << "whoever has the master may want it";
}

TEST(Terminal, OnlyBehindOurOwnRelayNothingIsTranslated) {
  spec::Process process;
  process.terminal = true;
  Compiled relayed;
  relayed.out.call.relays_terminal = true;
  compile(relayed.out, process, true);
  relayed.finish();
  EXPECT_EQ(relayed.find<program::OpenConsole>()->clear_onlcr, 1U);
}

}  // namespace
}  // namespace davit::terminal
