// SPDX-License-Identifier: Apache-2.0
#include "container/afterwards.hpp"

#include "container/ending.hpp"
#include "container/remove.hpp"
#include "davit/base/story.hpp"

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

}  // namespace

Result<int> attend(Context& context, Made& made, Foreground& foreground, bool keep) {
  auto status = [&] {
    const story::Span span(story::Actor::process, "runs", made.record.id);
    return foreground.supervise(made.launched);
  }();
  if (!status.ok()) return status;
  made.record.ending = ending_of(made.record, foreground.wait_status());
  if (const auto death = death_by_memory(made.record, *made.record.ending))
    context.warnings.push_back(*death);
  if (!keep) return status;
  if (const auto recorded = record_ending(made); !recorded.ok()) context.warnings.push_back(recorded.error());
  return status;
}

Result<int> finish(Context& context, Made& made, Result<int> status, bool stays) {
  if (status.ok() && stays) return status;
  if (status.ok()) made.record.init.pid = 0;  // its end has been seen: the number may be another's by now
  auto cleaned = clean_up(context, made);
  if (cleaned.ok()) return status;
  if (status.ok()) return cleaned.error();
  context.warnings.push_back(cleaned.error());
  return status;
}

}  // namespace davit::container
