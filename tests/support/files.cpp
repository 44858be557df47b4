// SPDX-License-Identifier: Apache-2.0
#include "support/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "support/sandbox.hpp"

namespace support {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = other.release();
  }
  return *this;
}

int Fd::release() {
  return std::exchange(number_, -1);
}

void Fd::reset() {
  if (number_ >= 0) close(number_);
  number_ = -1;
}

TempDir::TempDir(std::string_view name) {
  static int count = 0;
  path_ = Sandbox::get().dir() + "/" + std::string(name) + std::to_string(++count);
  make_dirs(path_);
}

TempDir::~TempDir() {
  if (!path_.empty()) remove_tree(path_);
}

std::string read_file(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[8192];
  ssize_t count = 0;
  while (file.valid() && (count = read(file.get(), buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(count));
  return text;
}

void write_file(const std::string& path, std::string_view text, mode_t mode) {
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  ASSERT_TRUE(file.valid()) << path << ": " << strerror(errno);
  ASSERT_EQ(write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size())) << path;
  ASSERT_EQ(fchmod(file.get(), mode), 0);
}

bool put(const std::string& path, std::string_view text) {
  const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.valid() && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

void make_dirs(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST && errno != EROFS)
      ADD_FAILURE() << "mkdir " << part << ": " << strerror(errno);
    if (slash == std::string::npos) return;
  }
}

void make_symlink(const std::string& target, const std::string& path) {
  if (symlink(target.c_str(), path.c_str()) != 0)
    ADD_FAILURE() << "symlink " << path << ": " << strerror(errno);
}

void remove_tree(const std::string& path) {
  nftw(
      path.c_str(), [](const char* entry, const struct stat*, int, FTW*) { return remove(entry), 0; }, 32,
      FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

std::vector<std::string> list_dir(const std::string& path) {
  std::vector<std::string> names;
  DIR* dir = opendir(path.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir))
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_link(const std::string& path) {
  char target[4096];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size < 0 ? "" : std::string(target, static_cast<std::size_t>(size));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(separator, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string trim(std::string_view text) {
  while (!text.empty() && isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return std::string(text);
}

std::string fingerprint(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return path + " missing\n";
  std::string text = path + " " + std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + ":" +
                     std::to_string(status.st_gid) + " " + std::to_string(status.st_mtim.tv_sec) + "." +
                     std::to_string(status.st_mtim.tv_nsec);
  if (S_ISREG(status.st_mode)) text += " " + read_file(path);
  if (S_ISLNK(status.st_mode)) text += " -> " + read_link(path);
  text += "\n";
  if (S_ISDIR(status.st_mode))
    for (const auto& name : list_dir(path)) text += fingerprint(path + "/" + name);
  return text;
}

int number_from_env(const char* name, int otherwise) {
  const char* value = getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : static_cast<int>(strtol(value, nullptr, 10));
}

}  // namespace support
