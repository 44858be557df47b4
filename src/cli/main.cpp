// SPDX-License-Identifier: Apache-2.0
#include "davit/cli/main.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <span>

#include "cli/help.hpp"
#include "cli/invocation.hpp"
#include "cli/output_style.hpp"
#include "cli/report.hpp"
#include "cli/teller.hpp"
#include "davit/base/notice.hpp"
#include "davit/cli/parser.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

constexpr std::size_t kMostQuoted = 1 << 20;
constexpr unsigned kCloseOnExec = 1u << 2;  // CLOSE_RANGE_CLOEXEC

// What the caller left open must not reach a container or a hook (CVE-2024-21626), and a file of ours must
// not become somebody's stdout.
void guard_descriptors() {
  ::syscall(SYS_close_range, 3u, ~0u, kCloseOnExec);
  struct pollfd standard[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  (void)::poll(standard, 3, 0);
  // In rising order, as open(2) takes the lowest number that is free.
  for (const struct pollfd& one : standard)
    if ((one.revents & POLLNVAL) != 0) (void)::open("/dev/null", O_RDWR);
}

/// Which config a call that makes a container is about; empty: it makes none.
std::string config_of(const Parsed& parsed) {
  const Arguments& options = parsed.arguments;
  const std::vector<std::string>& arguments = options.arguments();
  const std::string_view command = parsed.command->name;
  if ((command != "create" && command != "run") || options.given("rootfs")) return {};
  if (options.given("config")) return options.text("config");
  if (options.given("bundle")) return options.text("bundle") + "/config.json";
  const bool is_bundle =
      command == "run" && !arguments.empty() && arguments[0].find('/') != std::string::npos;
  return is_bundle ? arguments[0] + "/config.json" : "config.json";
}

// Read again: a call that goes well keeps no text for the sake of one that does not.
Quotation quotation_for(const Parsed& parsed, const Error& error) {
  const std::string path = config_of(parsed);
  if (error.where.line == 0 || path.empty() || ::isatty(STDERR_FILENO) != 1) return {};
  auto text = sys::read_file(path, kMostQuoted);
  return text.ok() ? Quotation{std::move(*text), output_style(STDERR_FILENO)} : Quotation();
}

int execute(const Parsed& parsed, const Log& log) {
  if (const auto checked = Teller::check(parsed.arguments.text("trace")); !checked.ok()) {
    Reporter(log, parsed.command->name, "").failure(checked.error());
    return parsed.command->failure_status;
  }
  Invocation invocation(parsed, log);
  if (!parsed.arguments.arguments().empty()) invocation.subject = parsed.arguments.arguments().front();
  // The subject may become known only on the way.
  const auto reporter_now = [&] { return Reporter(log, parsed.command->name, invocation.subject); };
  set_speaker([&](const Error& notice) { reporter_now().warning(notice); });
  Teller teller(log, parsed.arguments.text("trace"));
  auto status = [&] {
    const std::string version =
        story::is_listening() ? version_text().substr(0, version_text().find('\n')) : std::string();
    const story::Span span(story::Actor::davit, parsed.command->name, version);
    return parsed.command->handler(invocation);
  }();
  if (const auto told = teller.finish(); !told.ok()) reporter_now().warning(told.error());
  set_speaker({});
  const Reporter reporter = reporter_now();
  const container::Context* const context = invocation.used_context();
  if (context != nullptr)
    for (const Error& one : context->warnings) reporter.warning(one);
  // Where warnings are said, these have been.
  const auto notices = context == nullptr || log.says_warnings() ? std::span<const Error>()
                                                                 : std::span<const Error>(context->notices);
  if (status.ok()) {
    for (const Error& one : notices) reporter.notice(one);
    return *status;
  }
  reporter.failure(status.error(), context != nullptr ? std::span(context->errors) : std::span<const Error>(),
                   notices, quotation_for(parsed, status.error()));
  return parsed.command->failure_status;
}

int explain_usage(const Parsed& parsed, const Log& log) {
  const bool exec_like = parsed.command != nullptr;
  if (parsed.wrong_count) (void)print(help_text(*parsed.command));
  // The text about a wrong count names the command itself, as callers know it.
  const Reporter reporter(log, exec_like && !parsed.wrong_count ? parsed.command->name : "", "");
  reporter.failure(*parsed.error);
  return exec_like ? parsed.command->failure_status : 1;
}

}  // namespace

int main(int argc, char** argv) {
  guard_descriptors();
  // A short life with one heap: grown in large steps, never handed back. Pages count when they are touched.
  ::mallopt(M_TOP_PAD, 4 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  // A handler is gone after execve; SIG_IGN would have to be taken back for the container.
  ::signal(SIGPIPE, [](int) {});
  ::signal(SIGXFSZ, [](int) {});  // under a limit of the caller a write shall fail, and davit say so
  // For a caller that ignores it the kernel would throw the exit status of hooks and stages away.
  ::signal(SIGCHLD, SIG_DFL);
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const Parsed parsed = parse(words);
  const Arguments& options = parsed.arguments;
  auto log = Log::make(options.text("log"), options.text("log-format"), options.text("log-level"),
                       options.flag("debug"));
  if (!log.ok()) {
    Reporter({}, "", "").failure(log.error());
    return 1;
  }
  if (parsed.error) return explain_usage(parsed, *log);
  if (parsed.version) return print(version_text()).ok() ? 0 : 1;
  if (parsed.command == nullptr || parsed.help) {
    const std::string text = parsed.command != nullptr ? help_text(*parsed.command) : help_text();
    return print(text).ok() ? 0 : 1;
  }
  return execute(parsed, *log);
}

}  // namespace davit::cli
