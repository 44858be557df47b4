// SPDX-License-Identifier: Apache-2.0
// A CRIU that is only played: it speaks the protocol, and "restores" a process that sleeps. What it does is
// in its environment:
//   FAKE_CRIU          success, failure, death, nonsense, silence (until davit goes), late (what it dumps
//   ends
//                      meanwhile)
//   FAKE_CRIU_VERSION  4, if not set: the major version it says it has
//   FAKE_CRIU_LOG      a file that gets a line for each request and notification
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "criu_rpc/rpc.pb-c.h"

namespace {

enum Type { kDump = 1, kRestore = 2, kPreDump = 4, kNotify = 6, kFeatures = 9, kVersion = 10 };

int channel = -1;

std::string variable(const char* name, const char* otherwise) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : otherwise;
}

void note(const std::string& line) {
  const std::string file = variable("FAKE_CRIU_LOG", "/dev/null");
  if (FILE* out = std::fopen(file.c_str(), "ae")) {
    std::fprintf(out, "%s\n", line.c_str());
    std::fclose(out);
  }
}

void say(const CriuResponse& response) {
  std::string bytes(criu_response__get_packed_size(&response), '\0');
  criu_response__pack(&response, reinterpret_cast<uint8_t*>(bytes.data()));
  (void)!::send(channel, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

CriuRequest* hear() {
  static char buffer[1 << 18];
  const ssize_t size = ::recv(channel, buffer, sizeof buffer, 0);
  if (size <= 0) return nullptr;
  return criu_request__unpack(nullptr, static_cast<size_t>(size), reinterpret_cast<uint8_t*>(buffer));
}

CriuResponse answer_to(int type, bool success) {
  CriuResponse response = CRIU_RESPONSE__INIT;
  response.type = type;
  response.success = success ? 1 : 0;
  return response;
}

/// False: davit does not want it to go on.
bool notify(const char* script, int pid) {
  CriuNotification notification = CRIU_NOTIFICATION__INIT;
  notification.script = const_cast<char*>(script);
  notification.has_pid = pid > 0 ? 1 : 0;
  notification.pid = pid;
  CriuResponse response = answer_to(kNotify, true);
  response.notification = &notification;
  say(response);
  const CriuRequest* reply = hear();
  const bool goes_on = reply != nullptr && reply->type == kNotify && reply->notify_success != 0;
  note(std::string("notify ") + script + (goes_on ? " ok" : " refused"));
  return goes_on;
}

void describe(const CriuOptions& options) {
  const auto text = [](const char* value) { return std::string(value != nullptr ? value : ""); };
  note("root " + text(options.root) + " freezer " + text(options.freeze_cgroup) + " parent " +
       text(options.parent_images) + " leave-running " + std::to_string(options.leave_running) + " sibling " +
       std::to_string(options.restore_as_sibling));
  for (size_t i = 0; i < options.n_external_mounts; ++i)
    note("mount " + text(options.external_mounts[i]->key) + " " + text(options.external_mounts[i]->value));
  for (size_t i = 0; i < options.n_external; ++i) note("external " + text(options.external[i]));
  for (size_t i = 0; i < options.n_inherited; ++i)
    note("inherit " + text(options.inherited[i]->key) + " " +
         (::fcntl(options.inherited[i]->number, F_GETFD) >= 0 ? "open " : "closed ") +
         std::to_string(options.inherited[i]->number));
}

void write_log(const CriuOptions& options) {
  const int number = options.has_work_directory != 0 ? options.work_directory : options.images_directory;
  const std::string path = "/proc/" + std::to_string(::getppid()) + "/fd/" + std::to_string(number) + "/" +
                           (options.log_file != nullptr ? options.log_file : "log");
  if (FILE* out = std::fopen(path.c_str(), "we")) {
    std::fputs("(00.1) all is well so far\n(00.2) Error (criu/played.c:1): it is only played\n", out);
    std::fclose(out);
  }
}

void end(int pid) {
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  ::kill(pid, SIGKILL);
  struct pollfd entry = {pidfd, POLLIN, 0};
  (void)::poll(&entry, 1, -1);
  ::close(pidfd);
}

void dump(const CriuRequest& request, bool is_late) {
  const CriuOptions& options = *request.options;
  if (is_late) end(options.pid);
  const bool goes_on = notify("pre-dump", 0) && notify("post-dump", 0);
  if (goes_on && request.type == kDump && options.leave_running == 0) ::kill(options.pid, SIGKILL);
  say(answer_to(request.type, goes_on));
}

/// A child of CRIU's parent, as the restored init is, with a network of its own.
int make_sibling() {
  const long pid =
      ::syscall(SYS_clone, CLONE_PARENT | CLONE_NEWNET | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid != 0) return static_cast<int>(pid);
  ::close(channel);
  for (;;) ::pause();
}

void restore(const CriuRequest& request) {
  const int pid = make_sibling();
  const bool goes_on = notify("setup-namespaces", pid) && notify("post-restore", pid);
  if (!goes_on) ::kill(pid, SIGKILL);
  CriuRestored restored = CRIU_RESTORED__INIT;
  restored.pid = pid;
  CriuResponse response = answer_to(request.type, goes_on);
  response.restored = &restored;
  say(response);
}

void tell_version() {
  CriuVersion version = CRIU_VERSION__INIT;
  version.major_number = std::atoi(variable("FAKE_CRIU_VERSION", "4").c_str());
  CriuResponse response = answer_to(kVersion, true);
  response.version = &version;
  say(response);
}

void tell_features() {
  CriuFeatures features = CRIU_FEATURES__INIT;
  features.has_memory_tracking = features.memory_tracking = 1;
  CriuResponse response = answer_to(kFeatures, true);
  response.features = &features;
  say(response);
}

void serve(const CriuRequest& request) {
  const std::string mode = variable("FAKE_CRIU", "success");
  describe(*request.options);
  if (mode == "death") ::_exit(3);
  if (mode == "nonsense") (void)!::send(channel, "\xff\xff\xff", 3, MSG_NOSIGNAL);
  while (mode == "silence" && hear() != nullptr) continue;
  if (mode == "failure") {
    write_log(*request.options);
    say(answer_to(request.type, false));
  }
  if (mode != "success" && mode != "late") return;
  if (request.type == kRestore)
    restore(request);
  else
    dump(request, mode == "late");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "swrk") != 0) return 2;
  channel = std::atoi(argv[2]);
  const CriuRequest* request = hear();
  if (request == nullptr) return 1;
  note("request " + std::to_string(request->type));
  if (request->type == kVersion)
    tell_version();
  else if (request->type == kFeatures)
    tell_features();
  else
    serve(*request);
  return 0;
}
