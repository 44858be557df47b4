// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "davit/features/resctrl.hpp"
#include "davit/host/mountinfo.hpp"
#include "davit/sys/file.hpp"

namespace davit::resctrl {
namespace {

class HostTree : public Tree {
 public:
  bool has_directory(const std::string& path) override {
    return sys::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW).ok();
  }
  Result<void> make_directory(const std::string& path) override {
    return sys::make_directory_at(sys::FdRef::of(AT_FDCWD), path, 0755);
  }
  Result<void> remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
    return system_error(errno, "remove " + path);
  }
  std::vector<std::string> names_in(const std::string& path) override {
    const auto directory = sys::open(path, O_RDONLY | O_DIRECTORY);
    if (!directory.ok()) return {};
    auto names = sys::list_directory(*directory).value_or({});
    std::sort(names.begin(), names.end());
    return names;
  }
  Result<std::string> read(const std::string& file) override { return sys::read_records(file, 1 << 20); }
  Result<void> write(const std::string& file, const std::string& text) override {
    return sys::write_file(file, text);
  }
};

bool is_resctrl(const std::string& path) {
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 && status.f_type == RDTGROUP_SUPER_MAGIC;
}

}  // namespace

Tree& host_tree() {
  static HostTree tree;
  return tree;
}

Result<std::string> find_root() {
  std::string usual = "/sys/fs/resctrl";
  if (is_resctrl(usual)) return usual;
  std::string found;
  host::each_mount(
      TRY(sys::read_records("/proc/self/mountinfo", 64 << 20)),
      [](std::string_view type) { return type == "resctrl"; },
      [&](const host::MountInfo& mount) {
        if (found.empty() && mount.root == "/" && is_resctrl(mount.mount_point)) found = mount.mount_point;
      });
  if (!found.empty()) return found;
  Error error = make_error(Code::unsupported, "no resctrl filesystem is mounted");
  return error.advise(
      "`mount -t resctrl resctrl /sys/fs/resctrl`, if the processor can do it (rdt_a or cat_l3 in "
      "/proc/cpuinfo)");
}

Result<Group> choose_on_host(const spec::IntelRdt& wanted, const std::string& id) {
  const auto root = find_root();
  if (!root.ok()) return spec::at(wanted.position, root.error());
  return choose(host_tree(), *root, wanted, id);
}

}  // namespace davit::resctrl
