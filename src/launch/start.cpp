// start: init executes its program, told through the channel (run) or the start socket (start).
#include <sys/socket.h>

#include "davit/features/hooks.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

constexpr const char* kStartSocket = "start.sock";

/// Serves init until it executes, then runs the poststart hooks; a failure of theirs ends the container.
Result<void> run_program(Session& session) {
  auto served = serve(session, program::Point::none);
  if (!served.ok()) return served;
  const spec::Hooks& all = session.subject.config.hooks;
  auto ran = hooks::run(all, hooks::Kind::poststart, state_of(session.subject, session.launched.pid));
  if (!ran.ok() && session.launched.pidfd.valid()) (void)sys::send_signal(session.launched.pidfd, 9);
  return ran;
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
  auto started = run_program(session);
  launched.pidfd = std::move(session.launched.pidfd);
  return started;
}

Result<void> start_by_socket(sys::FdRef state_directory, const spec::Config& config, const std::string& id,
                             const std::string& bundle, pid_t pid) {
  const spec::Process* process = config.process ? &*config.process : nullptr;
  Session session{.subject = {config, process, id, bundle}};
  session.launched.pid = pid;
  session.launched.pidfd = TRY(sys::open_pidfd(pid));
  session.channel = TRY(sys::connect_at(state_directory, kStartSocket, SOCK_SEQPACKET));
  // Before the word is given: a container whose socket is there has not been started, whatever happens to us.
  TRY(sys::unlink_at(state_directory, kStartSocket));
  TRY(tell(session.channel, program::Point::start));
  return run_program(session);
}

}  // namespace davit::launch
