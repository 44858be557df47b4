// SPDX-License-Identifier: Apache-2.0
#include "support/fake_systemd.hpp"

#include <dbus/dbus.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/files.hpp"
#include "support/sandbox.hpp"

namespace support {
namespace {

constexpr const char* kSocket = "/run/systemd/private";

/// One connection, served to its end in a process of its own; what is to be remembered is in files.
class Service {
 public:
  Service(int socket, View view, Mood mood, std::string directory)
      : socket_(socket), view_(view), mood_(mood), directory_(std::move(directory)) {}
  void run();

 private:
  bool let_in();
  bool read_more();
  void handle(DBusMessage* call);
  void send(DBusMessage* message);
  void answer(DBusMessage* call, const std::string& object);
  void refuse(DBusMessage* call, const char* name, const std::string& text);
  void end_job(const std::string& job, const std::string& unit);
  void start(DBusMessage* call);
  void stop(DBusMessage* call, const std::string& unit);
  void get(DBusMessage* call);
  void note(const std::string& line) const {
    std::ofstream(directory_ + "/calls", std::ios::app) << line << "\n";
  }
  [[nodiscard]] std::string mark_of(const std::string& unit) const { return directory_ + "/unit-" + unit; }
  [[nodiscard]] std::string cgroup_of(const std::string& unit) const {
    return (view_ == View::v1 ? v1_mount("name=systemd") : "/sys/fs/cgroup") + read_file(mark_of(unit));
  }

  int socket_;
  View view_;
  Mood mood_;
  std::string directory_;
  std::string received_;
  dbus_uint32_t serial_ = 0;
};

void Service::send(DBusMessage* message) {
  dbus_message_set_serial(message, ++serial_);
  char* bytes = nullptr;
  int size = 0;
  dbus_message_marshal(message, &bytes, &size);
  for (int sent = 0; sent < size;) {
    const ssize_t count = ::send(socket_, bytes + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    if (count <= 0) ::_exit(0);
    sent += static_cast<int>(count);
  }
  dbus_free(bytes);
  dbus_message_unref(message);
}

void Service::answer(DBusMessage* call, const std::string& object) {
  DBusMessage* reply = dbus_message_new_method_return(call);
  const char* path = object.c_str();
  if (!object.empty()) dbus_message_append_args(reply, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
  send(reply);
}

void Service::refuse(DBusMessage* call, const char* name, const std::string& text) {
  send(dbus_message_new_error(call, name, text.c_str()));
}

void Service::end_job(const std::string& job, const std::string& unit) {
  if (mood_ == Mood::slow) ::sleep(1);
  if (mood_ == Mood::forgetful || mood_ == Mood::stuck) return;
  DBusMessage* signal =
      dbus_message_new_signal("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved");
  const dbus_uint32_t number = 7;
  const char* path = job.c_str();
  const char* name = unit.c_str();
  const char* result = mood_ == Mood::failing ? "failed" : "done";
  dbus_message_append_args(signal, DBUS_TYPE_UINT32, &number, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_STRING,
                           &name, DBUS_TYPE_STRING, &result, DBUS_TYPE_INVALID);
  send(signal);
}

/// A value in a few characters.
std::string shown(DBusMessageIter at) {
  DBusBasicValue value = {};
  const int type = dbus_message_iter_get_arg_type(&at);
  if (dbus_type_is_basic(type) != 0) dbus_message_iter_get_basic(&at, &value);
  switch (type) {
    case DBUS_TYPE_STRING:
      return value.str;
    case DBUS_TYPE_BOOLEAN:
      return value.bool_val != 0 ? "true" : "false";
    case DBUS_TYPE_UINT64:
      return std::to_string(value.u64);
    case DBUS_TYPE_INT32:
      return std::to_string(value.i32);
    case DBUS_TYPE_UINT32:
      return std::to_string(value.u32);
    case DBUS_TYPE_BYTE:
      return std::to_string(value.byt);
    default:
      break;
  }
  std::string text;
  DBusMessageIter inner;
  dbus_message_iter_recurse(&at, &inner);
  for (; dbus_message_iter_get_arg_type(&inner) != DBUS_TYPE_INVALID; dbus_message_iter_next(&inner))
    text += (text.empty() ? "" : ",") + shown(inner);
  return text;
}

/// " NAME=VALUE" of each property in the array at the iterator.
std::string properties(DBusMessageIter at) {
  std::string text;
  DBusMessageIter list;
  dbus_message_iter_recurse(&at, &list);
  for (; dbus_message_iter_get_arg_type(&list) != DBUS_TYPE_INVALID; dbus_message_iter_next(&list)) {
    DBusMessageIter member;
    dbus_message_iter_recurse(&list, &member);
    text += " " + shown(member);
    dbus_message_iter_next(&member);
    text += "=" + shown(member);
  }
  return text;
}

std::string property(const std::string& all, const std::string& name) {
  const std::size_t at = all.find(" " + name + "=");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  return all.substr(begin, all.find(' ', begin) - begin);
}

void Service::start(DBusMessage* call) {
  DBusMessageIter at;
  dbus_message_iter_init(call, &at);
  const std::string unit = shown(at);
  dbus_message_iter_next(&at);
  dbus_message_iter_next(&at);
  const std::string wanted = properties(at);
  note("StartTransientUnit " + unit + wanted);
  if (mood_ == Mood::dying) ::_exit(0);
  if (mood_ == Mood::refusing)
    return refuse(call, "org.freedesktop.DBus.Error.AccessDenied", "Permission denied, said the fake");
  if (exists(mark_of(unit)))
    return refuse(call, "org.freedesktop.systemd1.UnitExists", "Unit " + unit + " was already loaded.");
  const std::string job = "/org/freedesktop/systemd1/job/7";
  answer(call, job);
  if (mood_ == Mood::stuck) return;
  if (mood_ != Mood::failing) {
    const std::string slice = property(wanted, "Slice");
    std::ofstream(mark_of(unit)) << (slice == "-.slice" ? "" : "/" + slice) << "/" << unit;
    std::filesystem::create_directories(cgroup_of(unit));
    const std::string member = property(wanted, "PIDs");
    if (mood_ != Mood::misplacing && !member.empty())
      std::ofstream(cgroup_of(unit) + "/cgroup.procs") << member << std::flush;
  }
  end_job(job, unit);
}

void Service::stop(DBusMessage* call, const std::string& unit) {
  note("StopUnit " + unit);
  if (!exists(mark_of(unit)))
    return refuse(call, "org.freedesktop.systemd1.NoSuchUnit", "Unit " + unit + " not loaded.");
  const std::string job = "/org/freedesktop/systemd1/job/7";
  answer(call, job);
  const std::string cgroup = cgroup_of(unit);
  for (int i = 0; i < 1000 && exists(cgroup); ++i, ::usleep(10000)) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(cgroup, none))
      if (entry.is_directory(none)) ::rmdir(entry.path().c_str());
    ::rmdir(cgroup.c_str());
  }
  ::unlink(mark_of(unit).c_str());
  end_job(job, unit);
}

void Service::get(DBusMessage* call) {
  const char* interface = "";
  const char* name = "";
  dbus_message_get_args(call, nullptr, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name,
                        DBUS_TYPE_INVALID);
  note(std::string("Get ") + name);
  const std::string wanted = name;
  if (wanted == "State" && mood_ != Mood::stuck)
    return refuse(call, "org.freedesktop.DBus.Error.UnknownObject", "Unknown object");
  DBusMessage* reply = dbus_message_new_method_return(call);
  DBusMessageIter at;
  DBusMessageIter inner;
  const char* text = wanted == "State" ? "running" : "252.38-1~deb12u1";
  dbus_message_iter_init_append(reply, &at);
  dbus_message_iter_open_container(&at, DBUS_TYPE_VARIANT, "s", &inner);
  dbus_message_iter_append_basic(&inner, DBUS_TYPE_STRING, &text);
  dbus_message_iter_close_container(&at, &inner);
  send(reply);
}

void Service::handle(DBusMessage* call) {
  const std::string method = dbus_message_get_member(call);
  if (mood_ == Mood::deaf && method != "SetUnitProperties") return note(method);
  if (mood_ == Mood::slow) ::sleep(1);
  if (method == "Get") return get(call);
  if (method == "StartTransientUnit") return start(call);
  DBusMessageIter at;
  dbus_message_iter_init(call, &at);
  const std::string unit = shown(at);
  if (method == "StopUnit") return stop(call, unit);
  std::string line = method + " " + unit;
  if (method == "SetUnitProperties") {
    dbus_message_iter_next(&at);
    dbus_message_iter_next(&at);
    line += properties(at);
  }
  note(line);
  if (mood_ == Mood::deaf) return;
  if (mood_ == Mood::refusing)
    return refuse(call, "org.freedesktop.DBus.Error.AccessDenied", "Permission denied, said the fake");
  if (!exists(mark_of(unit)))
    return refuse(call, "org.freedesktop.systemd1.NoSuchUnit", "Unit " + unit + " not loaded.");
  answer(call, "");
}

bool Service::read_more() {
  char bytes[8192];
  const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
  if (count > 0) received_.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

bool Service::let_in() {
  std::size_t end = 0;
  while ((end = received_.find("BEGIN\r\n")) == std::string::npos)
    if (!read_more()) return false;
  note(received_.find("AUTH EXTERNAL\r\nDATA\r\n") == 1 ? "AUTH" : "AUTH in another way");
  received_.erase(0, end + 7);
  const std::string words = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";
  return ::send(socket_, words.data(), words.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(words.size());
}

void Service::run() {
  if (mood_ == Mood::silent) ::pause();
  if (!let_in()) return;
  for (;;) {
    const auto have = static_cast<int>(received_.size());
    const int size = have < 16 ? 0 : dbus_message_demarshal_bytes_needed(received_.data(), have);
    if (size < 0) return;
    if (size == 0 || size > have) {
      if (!read_more()) return;
      continue;
    }
    DBusMessage* message = dbus_message_demarshal(received_.data(), size, nullptr);
    received_.erase(0, static_cast<std::size_t>(size));
    if (message == nullptr) return;
    handle(message);
    dbus_message_unref(message);
  }
}

[[noreturn]] void serve(int ready, View view, Mood mood, const std::string& directory) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGCHLD, SIG_IGN);
  enter(view)();
  ::mkdir("/run/systemd", 0755);
  ::mkdir("/run/systemd/system", 0755);
  ::unlink(kSocket);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", kSocket);
  const bool listens = ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                       ::listen(listener, 16) == 0;
  (void)!::write(ready, listens ? "y" : "n", 1);
  for (;;) {
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) ::_exit(1);
    if (::fork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(listener);
      Service(connection, view, mood, directory).run();
      ::_exit(0);
    }
    ::close(connection);
  }
}

}  // namespace

FakeSystemd::FakeSystemd(View view, Mood mood)
    : directory_(Sandbox::get().dir() + "/systemd-" + Sandbox::get().new_id()) {
  ::mkdir(directory_.c_str(), 0755);
  int pipe[2];
  EXPECT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  pid_ = ::fork();
  if (pid_ == 0) serve(pipe[1], view, mood, directory_);
  ::close(pipe[1]);
  char ready = 0;
  EXPECT_EQ(::read(pipe[0], &ready, 1), 1);
  EXPECT_EQ(ready, 'y') << "the fake systemd cannot listen";
  ::close(pipe[0]);
}

FakeSystemd::~FakeSystemd() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::filesystem::remove_all(directory_);
}

std::vector<std::string> FakeSystemd::calls() const {
  std::vector<std::string> lines;
  std::istringstream text(exists(directory_ + "/calls") ? read_file(directory_ + "/calls") : "");
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> FakeSystemd::units() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("unit-")) names.push_back(name.substr(5));
  }
  return names;
}

}  // namespace support
