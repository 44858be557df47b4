// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/quick_config.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

Result<int> command_spec(Invocation& invocation) {
  const Arguments& options = invocation.options();
  std::string path = options.given("file") ? options.text("file") : "config.json";
  if (options.given("bundle") && !path.starts_with('/')) path = options.text("bundle") + "/" + path;
  const std::string text = TRY(example_config(options.flag("rootless")));
  const auto file = sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file.ok() && file.error().errno_value == EEXIST) {
    Error error = make_error(Code::already_exists, "File " + path + " exists. Remove it first");
    return error;
  }
  if (!file.ok()) return file.error();
  TRY(sys::write_all(*file, text));
  return 0;
}

}  // namespace davit::cli
