// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

Result<int> command_list(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  const bool json = TRY(wants_json(invocation.options()));
  const std::vector<spec::State> states = TRY(container::list(context));
  std::string out;
  if (invocation.options().flag("quiet"))
    for (const spec::State& state : states) out.append(state.id).append("\n");
  else
    out = json                                ? spec::states_json(states) + "\n"
          : invocation.options().flag("long") ? long_table(states)
                                              : list_table(states);
  TRY(print(out));
  // A broken entry hides nothing else, but somebody should know.
  for (const Error& warning : context.warnings) {
    std::string line = "davit: list: ";
    line.append(harmless(describe(warning))).append("\n");
    if (!warning.advice.empty()) line.append("hint: ").append(warning.advice).append("\n");
    (void)sys::write_all(sys::FdRef::of(STDERR_FILENO), line);
  }
  context.warnings.clear();
  return 0;
}

}  // namespace davit::cli
