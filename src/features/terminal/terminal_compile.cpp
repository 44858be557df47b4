// SPDX-License-Identifier: Apache-2.0
#include "davit/features/terminal.hpp"

namespace davit::terminal {

Result<void> check(const spec::Process& process, bool detached, bool has_console_socket) {
  Error error = make_error(Code::invalid_argument, "");
  if (detached && process.terminal && !has_console_socket) {
    error.message = "cannot allocate tty if runc will detach without setting console socket";
    error.advise("use --console-socket PATH, or set process.terminal to false");
    return error;
  }
  if (has_console_socket && (!detached || !process.terminal)) {
    error.message = "cannot use console socket if runc will not detach or allocate tty";
    error.advise("leave --console-socket out, or detach and set process.terminal to true");
    return error;
  }
  return {};
}

void compile(features::Compilation& out, const spec::Process& process, bool bind_console) {
  if (!process.terminal) {
    program::OwnStdio operation;
    operation.uid = process.user.uid;
    out.builder.emit(operation, out.origin(process.user.position, "uid"));
    return;
  }
  program::OpenConsole operation;
  if (process.console_size) {
    operation.rows = process.console_size->height;
    operation.columns = process.console_size->width;
  }
  operation.uid = process.user.uid;
  operation.bind_console = bind_console ? 1 : 0;
  operation.clear_onlcr = out.call.relays_terminal ? 1 : 0;
  out.builder.emit(operation, out.origin(process.position, "terminal"));
}

void compile_control(features::Compilation& out, const spec::Process& process) {
  if (process.terminal) out.builder.emit(program::TakeTerminal{}, out.origin(process.position, "terminal"));
}

}  // namespace davit::terminal
