#include "container/make.hpp"
#include "container/open.hpp"
#include "container/remove.hpp"
#include "container/supervise.hpp"

namespace davit::container {

namespace {

// Another davit may have deleted it in the meantime: then there is nothing left to do.
Result<void> clean_up(Context& context, Made& made) {
  if (auto locked = made.entry.lock(); !locked.ok())
    return locked.error().code == Code::not_found ? Result<void>() : locked;
  return destroy(context, made.entry, made.record, &made.bundle.config);
}

}  // namespace

Result<int> run(Context& context, RunCall call) {
  Made made = TRY(make_container(context, std::move(call.create), !call.detach, false));
  // Before the process runs, so that no signal is lost.
  std::optional<Foreground> foreground;
  if (!call.detach) foreground.emplace(TRY(Foreground::open()));
  auto started = launch::start_now(made.bundle.config, made.record.id, made.bundle.path, made.launched);
  if (!started.ok()) {
    if (auto cleaned = clean_up(context, made); !cleaned.ok()) context.warnings.push_back(cleaned.error());
    return started.error();
  }
  if (call.detach) return 0;
  auto status = foreground->supervise(made.launched);
  if (!call.keep)
    if (auto cleaned = clean_up(context, made); !cleaned.ok() && status.ok()) return cleaned.error();
  return status;
}

}  // namespace davit::container
