#include <cerrno>

#include "container/open.hpp"
#include "container/remove.hpp"

namespace davit::container {

Result<void> start(Context& context, const std::string& id) {
  Opened opened = TRY(open_locked(context, Operation::start, id));
  const spec::Config config = TRY(stored_config(context, opened.entry));
  const Record& record = opened.record;
  auto started =
      launch::start_by_socket(opened.entry.directory(), config, id, record.bundle, record.init.pid);
  if (started.ok()) return started;
  const int errno_value = started.error().errno_value;
  if (started.error().code == Code::system && (errno_value == ECONNREFUSED || errno_value == ENOENT)) {
    // Init ended, or another davit was faster, after we had looked.
    TRY(check_allowed(Operation::start, status_of(opened.entry, record), id));
    return started;
  }
  if (started.error().code == Code::hook_failed) {
    // A failed start or poststart hook ends the container's life (runtime.md, lifecycle).
    if (auto destroyed = destroy(context, opened.entry, record, &config); !destroyed.ok())
      context.warnings.push_back(destroyed.error());
  }
  return started;
}

}  // namespace davit::container
