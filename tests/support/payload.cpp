// SPDX-License-Identifier: Apache-2.0
#include "support/payload.hpp"

#include <string_view>

#include "support/files.hpp"
#include "support/sandbox.hpp"

extern "C" {
extern const char embedded_busybox[];
extern const char embedded_busybox_end[];
extern const char embedded_probe[];
extern const char embedded_probe_end[];
}

namespace support {
namespace {

std::string unpack(const std::string& name, const char* begin, const char* end) {
  std::string path = Sandbox::get().dir() + "/" + name;
  write_file(path, std::string_view(begin, static_cast<std::size_t>(end - begin)), 0755);
  return path;
}

}  // namespace

const std::string& busybox() {
  static const std::string path = unpack("busybox", embedded_busybox, embedded_busybox_end);
  return path;
}

const std::string& probe() {
  static const std::string path = unpack("probe", embedded_probe, embedded_probe_end);
  return path;
}

}  // namespace support
