// SPDX-License-Identifier: Apache-2.0
// start: init executes its program, told through the channel (run) or the start socket (start).
#include <sys/socket.h>

#include "davit/base/story.hpp"
#include "davit/features/hooks.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

constexpr const char* kStartSocket = "start.sock";
constexpr int kDeathTimeout = 1000;  // milliseconds

/// Serves init until it executes, then runs the poststart hooks. A failure ends the container, and is
/// reported when it has ended: nobody shall find it running after that.
Result<void> run_program(Session& session, const std::function<void()>& when_it_runs) {
  auto done = [&] {
    const story::Span span(story::Actor::davit, "start");
    return serve(session, program::Point::none);
  }();
  if (done.ok()) {
    when_it_runs();
    done = hooks::run(session.subject.config.hooks, hooks::Kind::poststart,
                      state_of(session.subject, session.launched.pid));
  }
  if (!done.ok() && session.launched.pidfd.valid()) {
    (void)sys::send_signal(session.launched.pidfd, 9);
    (void)sys::wait_end(session.launched.pidfd, kDeathTimeout);
  }
  return done;
}

}  // namespace

Result<void> start_now(const spec::Config& config, const std::string& id, const std::string& bundle,
                       Launched& launched) {
  const spec::Process* process = config.process ? &*config.process : nullptr;
  Session session{.subject = {config, process, id, bundle}};
  session.channel = std::move(launched.channel);
  TRY(tell(session.channel, program::Point::start));
  session.launched.pid = launched.pid;
  session.launched.pidfd = std::move(launched.pidfd);
  if (story::is_listening()) session.heard_at = story::now();
  auto started = run_program(session, [] {});
  launched.pidfd = std::move(session.launched.pidfd);
  return started;
}

Result<void> start_by_socket(const StartRequest& request, const std::function<void()>& when_it_runs) {
  const spec::Process* process = request.config.process ? &*request.config.process : nullptr;
  Session session{.subject = {request.config, process, request.id, request.bundle, request.read_config},
                  .place = request.place};
  session.launched.pid = request.init;
  session.launched.pidfd = TRY(sys::open_pidfd(request.init));
  session.channel = TRY(sys::connect_at(request.state_directory, kStartSocket, SOCK_SEQPACKET));
  TRY(sys::identify_senders(session.channel));
  // Before the word is given: a container whose socket is there has not been started, whatever happens to us.
  // And one whose socket is gone does not wait for ever: it ends if we are killed in between.
  TRY(tell(session.channel, program::Point::starting));
  TRY(sys::unlink_at(request.state_directory, kStartSocket));
  TRY(tell(session.channel, program::Point::start));
  if (story::is_listening()) session.heard_at = story::now();
  return run_program(session, when_it_runs);
}

}  // namespace davit::launch
