// SPDX-License-Identifier: Apache-2.0
#include "davit/program/printer.hpp"

#include <gtest/gtest.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include <cerrno>
#include <cstring>

namespace davit::program {
namespace {

std::string first_line(const Program& program) {
  const std::string all = print(program);
  return all.substr(0, all.find('\n'));
}

MountFilesystem proc_mount(Builder& builder) {
  MountFilesystem mount;
  mount.type = builder.text("proc");
  mount.source = builder.text("proc");
  mount.target = {.path = builder.text("/proc"), .flags = kTargetMustBeOrdinary};
  mount.attributes.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  return mount;
}

Message failed(u32 operation, Detail detail, const char* text = "", u64 value = 0) {
  Message message;
  message.type = MessageType::failed;
  message.operation = operation;
  message.detail = detail;
  message.value = value;
  std::strncpy(message.text, text, sizeof message.text - 1);
  return message;
}

TEST(ProgramPrinter, DecodesOperands) {
  Builder builder;
  builder.emit(proc_mount(builder));
  EXPECT_EQ(first_line(builder.finish()),
            "  0  mount_filesystem type=proc source=proc target=/proc ordinary set=nosuid,noexec");
  builder.emit(Unshare{.types = CLONE_NEWNS | CLONE_NEWPID});
  EXPECT_EQ(first_line(builder.finish()), "  0  unshare types=pid,mount");
}

TEST(ProgramPrinter, QuotesWhatATerminalWouldObey) {
  Builder builder;
  builder.emit(SetHostname{.name = builder.text("a\x1b[31m\"b")});
  EXPECT_EQ(first_line(builder.finish()), "  0  set_hostname name=\"a\\x1b[31m\\\"b\"");
}

TEST(ProgramPrinter, KeepsEnvironmentsToItself) {
  Builder builder;
  const std::vector<std::string> arguments = {"sh", "-c", "a b"};
  const std::vector<std::string> environment = {"SECRET=1"};
  builder.emit(Execute{.arguments = builder.texts(arguments), .environment = builder.texts(environment)});
  EXPECT_EQ(first_line(builder.finish()), "  0  execute arguments=[sh -c \"a b\"] variables=1");
}

TEST(ProgramPrinter, NamesEveryOperation) {
  EXPECT_STREQ(name(Op::await_host), "await_host");
  EXPECT_STREQ(name(Op::enter_root), "enter_root");
  EXPECT_STREQ(name(Op::load_seccomp), "load_seccomp");
  EXPECT_STREQ(name(Op::execute), "execute");
  EXPECT_STREQ(name(static_cast<Op>(999)), "unknown");
  EXPECT_STREQ(name(Point::start), "start");
}

TEST(ProgramPrinter, AListOfTextsEndsInANullPointer) {
  Builder builder;
  const std::vector<std::string> arguments = {"a"};
  const Execute execute{.arguments = builder.texts(arguments), .environment = builder.texts({})};
  builder.emit(execute);
  const Program program = builder.finish();
  const auto& header = *reinterpret_cast<const Header*>(program.image.data());
  u64 behind = 1;
  std::memcpy(&behind, program.image.data() + header.data + execute.arguments.offset + sizeof(Str),
              sizeof behind);
  EXPECT_EQ(behind, 0U);
  std::memcpy(&behind, program.image.data() + header.data + execute.environment.offset, sizeof behind);
  EXPECT_EQ(behind, 0U);
}

TEST(DescribeFailure, SaysWhatWasMounted) {
  Builder builder;
  builder.emit(proc_mount(builder));
  const Program program = builder.finish();
  EXPECT_EQ(describe_failure(program, failed(0, Detail::create_filesystem)).view(),
            "mount proc on /proc (nosuid,noexec)");
  EXPECT_EQ(describe_failure(program, failed(0, Detail::configure_filesystem, "proc: Unknown parameter 'x'"))
                .view(),
            "mount proc on /proc (nosuid,noexec): proc: Unknown parameter 'x'");
  EXPECT_EQ(describe_failure(program, failed(0, Detail::not_ordinary_directory)).view(),
            "mount proc on /proc (nosuid,noexec): filesystem \"proc\" must be mounted on ordinary directory");
  EXPECT_TRUE(explains_itself(Detail::not_ordinary_directory));
  EXPECT_FALSE(explains_itself(Detail::create_filesystem));
}

TEST(DescribeFailure, UsesTheWordsThatEnginesMatch) {
  Builder builder;
  builder.emit(FindProgram{.name = builder.text("sh")});
  builder.emit(FindProgram{.name = builder.text("/etc")});
  const std::vector<std::string> arguments = {"/run.sh"};
  builder.emit(Execute{.arguments = builder.texts(arguments)});
  const Program program = builder.finish();
  EXPECT_EQ(describe_failure(program, failed(0, Detail::not_in_path)).view(),
            "exec: \"sh\": executable file not found in $PATH");
  EXPECT_EQ(describe_failure(program, failed(0, Detail::not_in_path, "/bin/sh")).view(),
            "exec: \"sh\": executable file not found in $PATH: /bin/sh may not be executed");
  EXPECT_EQ(describe_failure(program, failed(1, Detail::is_directory)).view(),
            "exec: \"/etc\": is a directory");
  EXPECT_EQ(describe_failure(program, failed(1, Detail::no_such_file)).view(),
            "exec: \"/etc\": stat /etc: no such file or directory");
  EXPECT_EQ(describe_failure(program, failed(1, Detail::not_executable)).view(),
            "exec: \"/etc\": permission denied");
  EXPECT_EQ(describe_failure(program, failed(2, Detail::no_interpreter, "/bin/bash")).view(),
            "exec /run.sh: no such file or directory: its interpreter /bin/bash is missing");
}

TEST(DescribeFailure, CountsHooksOfEachKind) {
  Builder builder;
  builder.emit(RunHook{.path = builder.text("/a")});
  builder.emit(RunHook{.path = builder.text("/b")});
  builder.emit(WaitStart{});
  builder.emit(RunHook{.path = builder.text("/c")});
  const Program program = builder.finish();
  EXPECT_EQ(describe_failure(program, failed(1, Detail::hook_exit, "no luck", 1)).view(),
            "error running createContainer hook #1: /b: exit status 1, stdout/stderr: no luck");
  EXPECT_EQ(describe_failure(program, failed(3, Detail::hook_timeout, "", 5)).view(),
            "error running startContainer hook #0: /c: timed out after 5s, stdout/stderr: ");
}

TEST(DescribeFailure, HooksOfRunFollowTheStartToo) {
  Builder builder;
  builder.emit(AwaitHost{.point = Point::created});
  builder.emit(AwaitHost{.point = Point::start});
  builder.emit(RunHook{.path = builder.text("/c")});
  const Program program = builder.finish();
  EXPECT_TRUE(describe_failure(program, failed(2, Detail::hook_exit, "", 1))
                  .view()
                  .starts_with("error running startContainer hook #0: "));
}

TEST(DescribeFailure, SurvivesAMessageWithoutEnd) {
  Builder builder;
  builder.emit(PivotRoot{});
  const Program program = builder.finish();
  Message message = failed(0, Detail::none);
  std::memset(message.text, 'x', sizeof message.text);
  EXPECT_EQ(describe_failure(program, message).view().substr(0, 14), "pivot root: xx");
  EXPECT_EQ(describe_failure(program, failed(77, Detail::none)).view(), "operation 77");
}

}  // namespace
}  // namespace davit::program
