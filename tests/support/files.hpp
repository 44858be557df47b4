// SPDX-License-Identifier: Apache-2.0
// Files and descriptors for tests; failures to set a test up are test failures.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace support {

/// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  int release();
  void reset();

 private:
  int number_ = -1;
};

/// A directory that is removed with everything in it (one file system deep) at the end.
class TempDir {
 public:
  /// Below the sandbox of this test program; `name` is put into the path.
  explicit TempDir(std::string_view name = "t");
  TempDir(TempDir&&) = default;
  ~TempDir();
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
/// Makes or replaces a file.
void write_file(const std::string& path, std::string_view text, mode_t mode = 0644);
/// One write(2) without creating; false and errno when refused (for /proc and cgroup files).
bool put(const std::string& path, std::string_view text);
bool exists(const std::string& path);
/// mkdir -p
void make_dirs(const std::string& path, mode_t mode = 0755);
void make_symlink(const std::string& target, const std::string& path);
/// Removes a tree; does not leave the file system it is on and follows no link.
void remove_tree(const std::string& path);
/// Names in a directory without . and .., sorted; empty when it cannot be read.
std::vector<std::string> list_dir(const std::string& path);
std::string read_link(const std::string& path);
std::vector<std::string> split(std::string_view text, char separator);
/// Without white space at the end.
std::string trim(std::string_view text);
/// Content, owner, mode and mtime of everything below a path, as text: for "nothing was touched".
std::string fingerprint(const std::string& path);
/// A number from the environment, or the default.
int number_from_env(const char* name, int otherwise);

}  // namespace support
