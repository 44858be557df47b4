// SPDX-License-Identifier: Apache-2.0
#include "container/afterwards.hpp"
#include "container/make.hpp"
#include "container/notify.hpp"
#include "container/supervise.hpp"
#include "davit/sys/interruption.hpp"

namespace davit::container {

namespace {

Result<int> start_and_serve(Context& context, const RunCall& call, Made& made) {
  // Before the process runs, so that no signal and no notification is lost.
  std::optional<Foreground> foreground;
  if (!call.detach) foreground.emplace(TRY(Foreground::open()));
  if (!call.detach && sys::Interruption::has_come()) return make_error(Code::system, "interrupted");
  std::optional<Notify> notify = Notify::from_environment();
  if (notify) TRY(notify->listen(made.entry));
  TRY(launch::start_now(made.bundle.config, made.record.id, made.bundle.path, made.launched));
  if (call.detach) {
    if (notify) notify->forward(made.launched.pid, made.launched.pidfd);
    return 0;
  }
  if (notify) notify->forward_in_background(made.launched.pid, made.launched.pidfd);
  return attend(context, made, *foreground, call.keep);
}

}  // namespace

Result<int> run(Context& context, RunCall call) {
  Made made = TRY(make_container(context, std::move(call.create), !call.detach, false));
  if (!call.detach) announce_warnings(context);
  auto status = start_and_serve(context, call, made);
  return finish(context, made, std::move(status), call.detach || call.keep);
}

}  // namespace davit::container
