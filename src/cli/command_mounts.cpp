// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "davit/spec/reader.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

constexpr std::size_t kMaximumMounts = 1 << 20;

Result<spec::MountsDocument> read_file(container::Context& context, const std::string& file) {
  const bool is_stdin = file == "-";
  std::string text = TRY(is_stdin ? sys::read_all(sys::FdRef::of(STDIN_FILENO), kMaximumMounts)
                                  : sys::read_file_or_pipe(file, kMaximumMounts));
  auto read = spec::read_mounts(std::move(text), is_stdin ? "standard input" : file);
  context.warnings = std::move(read.warnings);
  if (read.ok()) return std::move(read.value);
  context.errors = std::move(read.errors);
  return context.errors.front();
}

}  // namespace

Result<int> command_mounts(Invocation& invocation) {
  const std::vector<std::string>& arguments = invocation.arguments();
  const bool removes = arguments[0] == "remove";
  invocation.subject = arguments[1];
  if (!removes && arguments[0] != "add") {
    Text<768> message("mounts can be added or removed, not ");
    message.append("\"").append(std::string_view(arguments[0]).substr(0, 60)).append("\"");
    Error error = make_error(Code::invalid_argument, message);
    return error.advise("davit mounts add ID FILE, or davit mounts remove ID FILE");
  }
  container::Context& context = *TRY(invocation.context());
  const spec::MountsDocument document = TRY(read_file(context, arguments[2]));
  TRY(removes ? container::remove_mounts(context, arguments[1], document.mounts)
              : container::add_mounts(context, arguments[1], document.mounts));
  return 0;
}

}  // namespace davit::cli
