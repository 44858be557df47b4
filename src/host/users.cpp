// SPDX-License-Identifier: Apache-2.0
#include "davit/host/users.hpp"

#include "davit/base/fields.hpp"
#include "davit/sys/file.hpp"

namespace davit::host {

// By hand: getpwuid would drag the name service switch into a static program.
std::string user_name(uid_t uid) {
  const std::string number = std::to_string(uid);
  const auto passwd = sys::read_file("/etc/passwd");
  std::string_view rest = passwd.ok() ? std::string_view(*passwd) : std::string_view();
  while (!rest.empty()) {
    std::string_view line = next_line(rest);
    const std::string_view name = next_field(line, ':');
    (void)next_field(line, ':');  // password
    if (next_field(line, ':') == number) return std::string(name);
  }
  return {};
}

}  // namespace davit::host
