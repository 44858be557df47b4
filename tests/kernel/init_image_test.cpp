// SPDX-License-Identifier: Apache-2.0
// The real freestanding image, from a sealed memfd, with programs made by the builder.
#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

struct ImageTest : testing::Test {
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root for mount namespaces";
    if (!fs::exists("/bin/busybox")) GTEST_SKIP() << "needs a static /bin/busybox";
    fs::create_directories(scratch / "root/bin");
    fs::create_directories(scratch / "root/proc");
    fs::copy_file("/bin/busybox", scratch / "root/bin/busybox");
    channel = builder.reserve();
    builder.set_channel(channel);
    root = builder.reserve();
  }

  void emit_root() {
    builder.emit(Unshare{.types = CLONE_NEWNS});
    builder.emit(SetPropagation{.flags = (1UL << 19) | (1UL << 14)});  // MS_SLAVE | MS_REC
    builder.emit(EnterPlace{.host_path = builder.text((scratch / "root").string())});
    builder.emit(AttachRoot{.tree = root});
    MountFilesystem proc;
    proc.type = builder.text("proc");
    proc.source = builder.text("proc");
    proc.target = {
        .path = builder.text("/proc"), .kind = TargetKind::directory, .flags = kTargetMustBeOrdinary};
    proc.attributes.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    proc.root = root;
    builder.emit(proc);
    builder.emit(PivotRoot{.root = root});
  }

  void emit_execute(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    builder.emit(ChangeDirectory{.path = builder.text("/")});
    builder.emit(CheckDirectory{});
    builder.emit(FindProgram{
        .name = builder.text(arguments[0]), .search_path = builder.text("/sbin:/bin"), .has_path = 1});
    builder.emit(CloseDescriptors{});
    builder.emit(Execute{.arguments = builder.texts(arguments), .environment = builder.texts(environment)});
  }

  Started start() {
    Program program = builder.finish();
    const int tree = clone_tree(scratch / "root");
    program.inherit(root, tree);
    Started started = start_image(std::move(program), channel);
    close(tree);
    return started;
  }

  Scratch scratch;
  Builder builder;
  Slot channel{};
  Slot root{};
};

TEST_F(ImageTest, RunsBusyboxInAContainerRoot) {
  emit_root();
  emit_execute({"busybox", "sh", "-c", "test $$ -gt 1 && test -d /proc/self && test ! -e /etc && exit 7"},
               {"A=b"});
  Started started = start();
  const Received end = receive(started.channel);
  EXPECT_EQ(end.message.type, MessageType{})
      << end.message.operation << ": " << std::strerror(end.message.error) << " " << end.message.text;
  EXPECT_EQ(started.wait(), 7);
}

TEST_F(ImageTest, MeetsTheHost) {
  builder.emit(TellHost{.point = Point::ready});
  builder.emit(AwaitHost{.point = Point::created});
  builder.emit(AwaitHost{.point = Point::start});
  emit_root();
  emit_execute({"busybox", "true"});
  Started started = start();
  const Received ready = receive(started.channel);
  EXPECT_EQ(ready.message.type, MessageType::reached);
  EXPECT_EQ(ready.message.point, Point::ready);
  tell(started.channel, Point::created);
  tell(started.channel, Point::start);
  EXPECT_EQ(receive(started.channel).message.type, MessageType{});
  EXPECT_EQ(started.wait(), 0);
}

TEST_F(ImageTest, ReportsWhichOperationFailed) {
  emit_root();
  emit_execute({"missing"});
  Started started = start();
  const Received failed = receive(started.channel);
  EXPECT_EQ(failed.message.type, MessageType::failed);
  EXPECT_EQ(failed.message.operation, 8U);
  EXPECT_EQ(failed.message.error, ENOENT);
  EXPECT_EQ(failed.message.detail, Detail::not_in_path);
  EXPECT_EQ(started.wait(), 1);
}

TEST_F(ImageTest, EndsSilentlyWithTheHost) {
  builder.emit(AwaitHost{.point = Point::attached});
  Started started = start();
  close(started.channel);
  started.channel = -1;
  EXPECT_EQ(started.wait(), 1);
}

TEST_F(ImageTest, StageHandsOverToAChildOfTheHost) {
  builder.emit(TellHost{.point = Point::started});
  builder.emit(ForkInit{.types = CLONE_NEWPID});
  emit_root();
  emit_execute({"busybox", "sh", "-c", "exit $$"});
  Started stage = start();
  EXPECT_EQ(receive(stage.channel).message.point, Point::started);
  const Received child = receive(stage.channel);
  ASSERT_EQ(child.message.type, MessageType::child);
  EXPECT_GT(child.message.pid, 1);
  EXPECT_EQ(stage.wait(), 0);
  Started init(child.message.pid, -1);
  EXPECT_EQ(receive(stage.channel).message.type, MessageType{});
  EXPECT_EQ(init.wait(), 1);  // the pid that it has in its own namespace
}

TEST_F(ImageTest, RefusesAProgramThatIsNone) {
  const char nonsense[64] = "not a program";
  Program program;
  program.image.resize(sizeof nonsense);
  std::memcpy(program.image.data(), nonsense, sizeof nonsense);
  EXPECT_EQ(start_image(std::move(program), kNoSlot).wait(), 1);
}

}  // namespace
}  // namespace davit::init_test
