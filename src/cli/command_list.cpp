#include <unistd.h>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/table.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

Result<int> command_list(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  const bool json = TRY(wants_json(invocation.options()));
  if (invocation.options().flag("quiet")) {
    std::string out;
    for (const std::string& id : TRY(context.store.ids())) out.append(id).append("\n");
    TRY(print(out));
    return 0;
  }
  const std::vector<spec::State> states = TRY(container::list(context));
  TRY(print(json ? spec::states_json(states) + "\n" : list_table(states)));
  // A broken entry hides nothing else, but somebody should know.
  for (const Error& warning : context.warnings) {
    std::string line = "davit: list: ";
    line.append(describe(warning)).append("\n");
    (void)sys::write_all(sys::FdRef::of(STDERR_FILENO), line);
  }
  context.warnings.clear();
  return 0;
}

}  // namespace davit::cli
