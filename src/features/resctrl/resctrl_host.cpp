// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "davit/features/resctrl.hpp"
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
  void remove_directory(const std::string& path) override { (void)::rmdir(path.c_str()); }
  Result<std::string> read(const std::string& file) override { return sys::read_records(file, 1 << 20); }
  Result<void> write(const std::string& file, const std::string& text) override {
    return sys::write_file(file, text);
  }
};

bool is_resctrl(const std::string& path) {
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 && status.f_type == RDTGROUP_SUPER_MAGIC;
}

/// The first mount point of the type in a mountinfo(5).
std::string mount_point_in(std::string_view mountinfo) {
  const std::size_t type = mountinfo.find(" - resctrl ");
  if (type == std::string_view::npos) return {};
  std::string_view line = mountinfo.substr(0, type);
  line.remove_prefix(line.rfind('\n') + 1);  // npos + 1 is 0
  for (int field = 0; field < 4; ++field) line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  return std::string(line.substr(0, line.find(' ')));
}

}  // namespace

Tree& host_tree() {
  static HostTree tree;
  return tree;
}

Result<std::string> find_root() {
  std::string usual = "/sys/fs/resctrl";
  if (is_resctrl(usual)) return usual;
  std::string found = mount_point_in(TRY(sys::read_records("/proc/self/mountinfo", 64 << 20)));
  if (!found.empty() && is_resctrl(found)) return found;
  Error error = make_error(Code::unsupported, "no resctrl filesystem is mounted");
  return error.advise(
      "`mount -t resctrl resctrl /sys/fs/resctrl`, if the processor can do it (rdt_a or cat_l3 in "
      "/proc/cpuinfo)");
}

}  // namespace davit::resctrl
