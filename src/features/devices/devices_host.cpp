// SPDX-License-Identifier: Apache-2.0
// What of the devices depends on this machine.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "davit/features/devices.hpp"
#include "davit/sys/mount.hpp"

namespace davit::devices {
namespace {

mode_t type_of(const spec::Device& device) {
  return device.type == spec::DeviceType::block ? S_IFBLK : S_IFCHR;
}

}  // namespace

bool host_has(const spec::Device& device) {
  struct stat status {};
  return ::stat(device.path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == type_of(device) &&
         status.st_rdev == makedev(device.major, device.minor);
}

Result<sys::UniqueFd> make_node(const spec::Device& device) {
  constexpr const char* kName = "node";
  constexpr mode_t kUsual = 0666;
  const sys::UniqueFd place = TRY(sys::new_tmpfs());
  if (::mknodat(place.number(), kName, type_of(device) | S_IRUSR, makedev(device.major, device.minor)) < 0)
    return system_error(errno, "mknod " + device.path);
  // The umask is the caller's.
  if (::fchmodat(place.number(), kName, device.file_mode.value_or(kUsual), 0) < 0 ||
      ::fchownat(place.number(), kName, device.uid.value_or(0), device.gid.value_or(0), 0) < 0)
    return system_error(errno, "set the owner of " + device.path);
  return sys::clone_file(place, kName);
}

bool host_has_kcore() {
  return access("/proc/kcore", F_OK) == 0;
}

}  // namespace davit::devices
