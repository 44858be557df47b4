// SPDX-License-Identifier: Apache-2.0
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

TEST_F(Files, OnlyRegularOnesAreReadAndNobodyIsWaitedFor) {
  ASSERT_EQ(::mkfifo((base_ + "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(read_file(base_ + "pipe").ok()) << "would wait for a writer";
  EXPECT_FALSE(read_file(base_).ok());
  EXPECT_FALSE(read_file("/dev/zero").ok());
  EXPECT_FALSE(read_file_or_pipe("/dev/zero", 10).ok());
  put("file", "text");
  EXPECT_EQ(read_file(base_ + "file").value_or(""), "text");
}

TEST_F(Files, ASizeAboveTheLimitCostsNothing) {
  put("sparse", "{");
  ASSERT_EQ(::truncate((base_ + "sparse").c_str(), off_t{1} << 40), 0);
  const auto read = read_file(base_ + "sparse", 16 << 20);  // 1 TB of memory would not be there
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().errno_value, EFBIG);
  put("small", "12345");
  EXPECT_TRUE(read_file(base_ + "small", 5).ok());
  EXPECT_FALSE(read_file(base_ + "small", 4).ok());
}

TEST_F(Files, APipeIsReadToItsEndAndLimit) {
  for (const std::size_t size : {0u, 5u, 6000u, 9000u}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd reader = UniqueFd::adopt(ends[0]);
    ASSERT_EQ(::write(ends[1], std::string(size, 'x').data(), size), static_cast<ssize_t>(size));
    ::close(ends[1]);
    const auto read = read_file_or_pipe("/proc/self/fd/" + std::to_string(reader.number()), 6000);
    EXPECT_EQ(read.ok(), size <= 6000) << size;
    if (read.ok()) {
      EXPECT_EQ(read->size(), size);
    }
  }
}

}  // namespace
}  // namespace davit::sys
