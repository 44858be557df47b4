// SPDX-License-Identifier: Apache-2.0
#include "container/ending.hpp"
#include "container/make.hpp"
#include "container/notify.hpp"
#include "container/open.hpp"
#include "container/remove.hpp"
#include "container/supervise.hpp"
#include "davit/base/story.hpp"
#include "davit/sys/interruption.hpp"

namespace davit::container {

namespace {

// Another davit may have deleted it in the meantime: then there is nothing left to do.
Result<void> try_to_clean_up(Context& context, Made& made) {
  if (auto locked = made.entry.lock(); !locked.ok())
    return locked.error().code == Code::not_found ? Result<void>() : locked;
  const story::Span span(story::Actor::davit, "clean up");
  return destroy(context, made.entry, made.record, &made.bundle.config);
}

// Whoever runs in the foreground does not come back to delete: what failed half-way is tried once more.
Result<void> clean_up(Context& context, Made& made) {
  auto cleaned = try_to_clean_up(context, made);
  return cleaned.ok() ? cleaned : try_to_clean_up(context, made);
}

/// For `state`: delete comes later, and nobody else has seen the end.
Result<void> record_ending(Made& made) {
  // Somebody who deletes it meanwhile does not ask how it ended.
  if (auto locked = made.entry.lock(); !locked.ok())
    return locked.error().code == Code::not_found ? Result<void>() : locked;
  auto written = made.entry.write(made.record);
  made.entry.unlock();
  return written;
}

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
  auto status = [&] {
    const story::Span span(story::Actor::process, "runs", made.record.id);
    return foreground->supervise(made.launched);
  }();
  if (!status.ok()) return status;
  made.record.ending = ending_of(made.record, foreground->wait_status());
  if (const auto death = death_by_memory(made.record, *made.record.ending))
    context.warnings.push_back(*death);
  if (!call.keep) return status;
  if (const auto recorded = record_ending(made); !recorded.ok()) context.warnings.push_back(recorded.error());
  return status;
}

}  // namespace

Result<int> run(Context& context, RunCall call) {
  Made made = TRY(make_container(context, std::move(call.create), !call.detach, false));
  if (!call.detach) announce_warnings(context);
  auto status = start_and_serve(context, call, made);
  if (status.ok() && (call.detach || call.keep)) return status;
  if (status.ok()) made.record.init.pid = 0;  // its end has been seen: the number may be another's by now
  auto cleaned = clean_up(context, made);
  if (cleaned.ok()) return status;
  if (status.ok()) return cleaned.error();
  context.warnings.push_back(cleaned.error());
  return status;
}

}  // namespace davit::container
