// SPDX-License-Identifier: Apache-2.0
#include "davit/features/lsm.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "compiled.hpp"

namespace davit::lsm {
namespace {

using test::Compiled;

TEST(Labels, AProfileWithoutAppArmorIsAnError) {
  Compiled compiled;
  spec::Process process;
  process.apparmor_profile = "web";
  const auto result = compile_labels(compiled.out, process);
  ASSERT_FALSE(result.ok());
  EXPECT_FALSE(result.error().advice.empty());
  process.apparmor_profile = "unconfined";
  EXPECT_TRUE(compile_labels(compiled.out, process).ok());
}

TEST(Labels, AreWrittenForTheComingExec) {
  Compiled compiled;
  compiled.facts.apparmor = true;
  compiled.facts.selinux = true;
  spec::Process process;
  process.apparmor_profile = "web";
  process.selinux_label = "system_u:system_r:container_t:s0";
  ASSERT_TRUE(compile_labels(compiled.out, process).ok());
  compiled.finish();
  const auto apparmor = compiled.find<program::WriteLabel>();
  EXPECT_EQ(compiled.text(apparmor->attribute), "apparmor/exec");
  EXPECT_EQ(compiled.text(apparmor->fallback), "exec");
  EXPECT_EQ(compiled.text(apparmor->value), "exec web");
  const auto selinux = compiled.find<program::WriteLabel>(1);
  EXPECT_EQ(compiled.text(selinux->attribute), "exec");
  EXPECT_EQ(compiled.text(selinux->value), process.selinux_label);
  EXPECT_EQ(compiled.find<program::OpenProc>()->processes_only, 1U);
  EXPECT_FALSE(compiled.find<program::OpenProc>(1));
}

TEST(Labels, ALabelWithoutSelinuxIsAnError) {
  Compiled compiled;
  spec::Process process;
  process.selinux_label = "x";
  EXPECT_EQ(compile_labels(compiled.out, process).error().message.view(),
            "selinux label is specified in config, but selinux is disabled or not supported");
}

TEST(Labels, AMissingProfileIsExplained) {
  spec::Process process;
  process.apparmor_profile = "web";
  Error error = system_error(ENOENT, "write");
  error.where.pointer = "/process/apparmorProfile";
  explain_label_failure(process, error);
  EXPECT_EQ(error.message.view(), "unable to apply apparmor profile web");
  EXPECT_NE(error.advice.view().find("not loaded"), std::string_view::npos);
}

}  // namespace
}  // namespace davit::lsm
