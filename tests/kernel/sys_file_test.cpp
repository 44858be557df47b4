// Files that davit writes and reads for its caller.
#include "davit/sys/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace davit::sys {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/davit-files-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    base_ = std::string(name) + "/";
  }
  void TearDown() override { std::filesystem::remove_all(base_); }
  void put(const std::string& name, const std::string& text) { std::ofstream(base_ + name) << text; }
  std::string get(const std::string& name) {
    std::ifstream file(base_ + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string base_;
};

TEST_F(Files, ReplacingOneTouchesNoOther) {
  const std::string temporary = ".pid." + std::to_string(::getpid());
  put(".pid", "precious");
  put(temporary, "precious");
  put("pid", "old");
  ASSERT_TRUE(replace_file(base_ + "pid", "42", 0600).ok());
  EXPECT_EQ(get("pid"), "42");
  EXPECT_EQ(get(".pid"), "precious");
  EXPECT_EQ(get(temporary), "precious");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(base_), {}), 3);
}

TEST_F(Files, ADeviceIsNotReplaced) {
  ASSERT_EQ(::mkfifo((base_ + "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(replace_file(base_ + "pipe", "42", 0600).ok());
  EXPECT_TRUE(std::filesystem::is_fifo(base_ + "pipe"));
}

}  // namespace
}  // namespace davit::sys
