// SPDX-License-Identifier: Apache-2.0
// What the caller has: ids to give away, a systemd to ask, programs that help.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "davit/bus/systemd.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/host/facts.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "doctor/trials.hpp"

namespace davit::doctor {
namespace {

constexpr std::int64_t kSystemdPatience = 5000;  // milliseconds

std::string environment(const char* name) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : "";
}

/// A child in a user namespace of its own, until this is gone.
class Sleeper {
 public:
  Sleeper() {
    int ends[2] = {};
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::signal(SIGALRM, SIG_DFL);
      ::alarm(20);  // whatever becomes of davit
      const char made = ::unshare(CLONE_NEWUSER) == 0 ? '1' : '0';
      (void)!::write(ends[1], &made, 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char made = '0';
    is_ready_ = child_ > 0 && ::read(ends[0], &made, 1) == 1 && made == '1';
    ::close(ends[0]);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    (void)sys::wait_for(child_);
  }
  [[nodiscard]] bool is_ready() const { return is_ready_; }
  [[nodiscard]] pid_t pid() const { return child_; }

 private:
  pid_t child_ = -1;
  bool is_ready_ = false;
};

void try_ids(Diagnoses& out) {
  Diagnosis result{"subordinate ids"};
  spec::Config config;
  config.linux.namespaces.push_back({spec::NamespaceType::user, {}, {}});
  namespaces::map_caller(config);
  const auto& uids = config.linux.uid_mappings;
  const bool has_range = uids.size() > 1 && config.linux.gid_mappings.size() > 1;
  const std::string helper = find_program("newuidmap");
  if (is_root()) {
    result.health = Health::unasked;
    result.evidence = std::string("root maps any id; for users: newuidmap ") +
                      (helper.empty() ? "is missing" : "is " + helper);
  } else if (!has_range) {
    result.health = Health::lacking;
    result.evidence = "this user has no range in /etc/subuid and /etc/subgid: one id has to do";
    result.remedy = "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER";
  } else {
    const Sleeper sleeper;
    const auto mapped =
        sleeper.is_ready()
            ? namespaces::write_mappings(sleeper.pid(), {uids, config.linux.gid_mappings}, false)
            : Result<void>(make_error(Code::system, "no user namespace can be made"));
    result.evidence = mapped.ok() ? std::to_string(uids.back().size) + " ids from " +
                                        std::to_string(uids.back().host_id) + " on were mapped"
                                  : std::string(describe(mapped.error()).view());
    if (!mapped.ok()) {
      result.health = Health::lacking;
      result.remedy = helper.empty()
                          ? "install the package uidmap (shadow-utils)"
                          : "newuidmap and newgidmap need the set-user-id bit: chmod u+s " + helper;
    }
  }
  out.push_back(std::move(result));
}

void try_systemd(Diagnoses& out) {
  std::vector<bus::Address> addresses;
  std::string runtime = environment("XDG_RUNTIME_DIR");
  if (runtime.empty()) runtime = "/run/user/" + std::to_string(::geteuid());
  if (is_root() && !host::in_user_namespace())
    addresses = {{"/run/systemd/private"}, {"/run/dbus/system_bus_socket", true}};
  else
    addresses = {{runtime + "/systemd/private"}, {runtime + "/bus", true}};
  Diagnosis result{is_root() ? "systemd" : "systemd of the user"};
  auto systemd = bus::Systemd::connect(addresses, bus::Deadline::in(kSystemdPatience));
  const auto version = systemd.ok() ? systemd->version() : Result<unsigned>(systemd.error());
  if (version.ok()) {
    result.evidence = "version " + std::to_string(*version) + " answers";
  } else if (::access("/run/systemd/system", F_OK) != 0) {
    result.health = Health::unasked;
    result.evidence = "this host does not run it: engines have to use the cgroup manager cgroupfs";
  } else {
    result.health = Health::lacking;
    result.evidence = std::string(describe(version.error()).view());
    result.remedy =
        is_root() ? "look at systemctl status; until it answers use the cgroup manager cgroupfs"
                  : "loginctl enable-linger, log in again (not by su or sudo), and keep XDG_RUNTIME_DIR";
  }
  out.push_back(std::move(result));
}

void try_runtime_directory(Diagnoses& out) {
  if (is_root()) return;
  const std::string runtime = environment("XDG_RUNTIME_DIR");
  const bool is_there = !runtime.empty() && ::access(runtime.c_str(), W_OK) == 0;
  out.push_back({"state directory", is_there ? Health::good : Health::lacking,
                 runtime.empty()
                     ? "XDG_RUNTIME_DIR is not set"
                     : runtime + (is_there ? " can be written" : ": " + std::string(errno_text(errno))),
                 is_there ? "" : "log in by a session of systemd, or name a directory with --root"});
}

void try_criu(Diagnoses& out) {
  const std::string program = find_program("criu");
  out.push_back({"criu", Health::unasked,
                 program.empty() ? "is not installed: no checkpoint and no restore" : program});
}

}  // namespace

void try_caller(Diagnoses& out) {
  try_ids(out);
  try_runtime_directory(out);
  try_systemd(out);
  try_criu(out);
}

}  // namespace davit::doctor
