// SPDX-License-Identifier: Apache-2.0
#include "davit/container/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "container/belongings.hpp"
#include "container/paths.hpp"
#include "davit/container/id.hpp"
#include "davit/host/facts.hpp"
#include "davit/sys/file.hpp"

namespace davit::container {

namespace {

// Not a character of an id: names that begin with it are directories on their way out.
constexpr char kTrash = '@';
constexpr std::size_t kMaximumConfig = 16u << 20;

Error not_there() {
  Error error = make_error(Code::not_found, "container does not exist");
  return error.advise(
      "`davit list` shows those of this user; those of others, and of engines, have another --root");
}

Error taken() {
  Error error = make_error(Code::already_exists, "container with given ID already exists");
  error.advise("choose another id, or delete that container first");
  return error;
}

Error cannot_use(const std::string& root, const Error& cause) {
  Error error = cause;
  Text<768> message("cannot use the state directory ");
  message.append(root).append(": ").append(cause.message);
  error.message = message;
  if (cause.errno_value == EACCES || cause.errno_value == EPERM || cause.errno_value == EROFS)
    error.advise(::geteuid() == 0 ? "choose a writable directory with --root"
                                  : "run it as root, or choose a directory of yours with --root or "
                                    "XDG_RUNTIME_DIR");
  return error;
}

bool missing(const Error& error) {
  return error.errno_value == ENOENT || error.errno_value == ENOTDIR;
}

Error foreign(const std::string& path) {
  Error error = taken();
  error.advice.clear();
  return error.advise("davit did not make " + path + ": look into it, and choose another id or --root");
}

Error held_by_another(sys::FdRef directory) {
  Error error = make_error(Code::wrong_state, "another process is working on this container");
  const auto holder = sys::lock_holder(directory);
  if (!holder.ok() || *holder <= 0) return error;
  std::string command = sys::read_record("/proc/" + std::to_string(*holder) + "/cmdline").value_or({});
  std::replace(command.begin(), command.end(), '\0', ' ');
  error.message.append(", and does not end: pid ").append_number(*holder).append(": ");
  error.message.append(std::string_view(command).substr(0, 200));
  return error.advise("look at what it waits for: a hook, a frozen cgroup, a device");
}

// Only what carries the mark of a container's directory and the number that discard() gave it.
void remove_trash(const std::string& root, const std::string& name) {
  const auto directory = sys::open(root + "/" + name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory.ok()) return;
  const auto status = sys::stat_of(*directory);
  if (!status.ok() || name != kTrash + std::to_string(status->st_ino)) return;
  if (!is_made_by_davit(*directory).value_or(false)) return;
  if (auto locked = sys::try_lock(*directory); !locked.ok() || !*locked) return;
  if (!remove_belongings(*directory).ok()) return;
  (void)sys::unlink_at(sys::current_directory(), root + "/" + name, AT_REMOVEDIR);
}

// What was made for nothing goes; rmdir(2) spares what has become more.
void give_up(const std::string& path) {
  (void)sys::unlink_at(sys::current_directory(), path, AT_REMOVEDIR);
}

Result<void> claim(const std::string& root, Entry& entry) {
  // Whoever holds the lock of a directory without a record owns the id, even if another one made the
  // directory and was killed, or has not come to lock it yet.
  if (!TRY(entry.try_lock())) return taken();
  const auto record = sys::stat_at(entry.directory(), kRecordFile);
  if (record.ok()) return taken();
  // Only that it is not there makes the directory ours.
  if (record.error().errno_value != ENOENT) return cannot_use(root, record.error());
  return {};
}

/// Somebody else's record could have any process killed and any cgroup removed, and somebody else's config
/// has hooks. Shared directories such as /tmp, and those of users, are a --root as well.
Result<void> check_trusted(sys::FdRef directory, const std::string& path) {
  const struct stat status = TRY(sys::stat_of(directory));
  const bool is_ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (is_ours && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  Text<768> message(path);
  if (is_ours)
    message.append(" can be written by others");
  else
    message.append(" belongs to uid ").append_number(status.st_uid);
  Error error = make_error(Code::wrong_state, message.append(": what it says is not believed"));
  return error.advise(is_ours ? "look into it, and remove it by hand" : "act as that user");
}

}  // namespace

std::string default_root() {
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || *runtime == '\0') return "/run/davit";
  if (::geteuid() == 0) {
    // podman starts us as root of a user namespace, with nothing but XDG_RUNTIME_DIR in the environment.
    const char* user = ::getenv("USER");
    if (user != nullptr && std::string_view(user) == "root") return "/run/davit";
    if (!host::in_user_namespace()) return "/run/davit";
  }
  return std::string(runtime) + "/davit";
}

// --- Entry

Result<void> Entry::check_still_there() {
  if (inode_ == 0) {
    const struct stat held = TRY(sys::stat_of(directory_));
    device_ = held.st_dev;
    inode_ = held.st_ino;
  }
  const auto named = sys::stat_at(sys::current_directory(), root_ + "/" + id_, AT_SYMLINK_NOFOLLOW);
  if (!named.ok() && missing(named.error())) return not_there();
  if (!named.ok()) return named.error();
  if (inode_ != named->st_ino || device_ != named->st_dev) return not_there();
  return {};
}

Result<bool> Entry::try_lock() {
  locked_ = TRY(sys::try_lock(directory_));
  if (locked_) TRY(check_still_there());
  return locked_;
}

Result<void> Entry::lock(std::chrono::milliseconds patience) {
  using std::chrono::milliseconds;
  const auto end = std::chrono::steady_clock::now() + patience;
  for (milliseconds pause(1); !TRY(try_lock()); pause = std::min(pause * 2, milliseconds(20))) {
    if (std::chrono::steady_clock::now() >= end) return held_by_another(directory_);
    std::this_thread::sleep_for(pause);
  }
  return {};
}

void Entry::unlock() {
  sys::unlock(directory_);
  locked_ = false;
}

Result<Record> Entry::read() const {
  auto text = sys::read_file_at(directory_, kRecordFile, kMaximumConfig);
  if (!text.ok() && text.error().errno_value == ENOENT) return not_there();
  if (!text.ok()) return text.error();
  TRY(check_trusted(directory_, root_ + "/" + id_));
  Record record = TRY(parse_record(std::move(*text), root_ + "/" + id_ + "/" + kRecordFile));
  if (record.id == id_) return record;
  return make_error(Code::internal, root_ + "/" + id_ + "/" + kRecordFile + " belongs to another container");
}

Result<void> Entry::write(const Record& record) const {
  auto written = sys::replace_file_at(directory_, kRecordFile, record_json(record), 0600);
  if (!written.ok()) return cannot_use(root_, written.error());
  return {};
}

Result<std::string> Entry::read_config() const {
  TRY(check_trusted(directory_, root_ + "/" + id_));
  return sys::read_file_at(directory_, kConfigFile, kMaximumConfig);
}

Result<void> Entry::write_config(const std::string& text) const {
  const sys::UniqueFd file =
      TRY(sys::open_at(directory_, kConfigFile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  auto written = sys::write_all(file, text);
  if (!written.ok()) return cannot_use(root_, written.error());
  return {};
}

Result<void> Entry::note_tracer() const {
  auto file = sys::open_at(directory_, kTracersFile, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
  if (!file.ok()) return cannot_use(root_, file.error());
  return {};
}

bool Entry::has_tracers() const {
  const auto status = sys::stat_at(directory_, kTracersFile, AT_SYMLINK_NOFOLLOW);
  return status.ok() || status.error().errno_value != ENOENT;
}

bool Entry::waits_for_start() const {
  return sys::stat_at(directory_, kStartSocket, AT_SYMLINK_NOFOLLOW).ok();
}

Result<void> Entry::discard() const {
  const std::string trash = root_ + "/" + kTrash + std::to_string(inode_);
  auto moved = sys::rename_new(root_ + "/" + id_, trash);
  if (!moved.ok() && moved.error().errno_value == EEXIST) {
    // Left by one that was killed half-way, on a filesystem that gives numbers twice.
    remove_trash(root_, trash.substr(root_.size() + 1));
    moved = Result<void>(sys::rename_new(root_ + "/" + id_, trash));
  }
  if (!moved.ok()) return missing(moved.error()) ? Result<void>() : moved;
  for (const char* name : {kConfigFile, kRecordFile}) (void)sys::unlink_at(directory_, name);
  auto removed = sys::unlink_at(sys::current_directory(), trash, AT_REMOVEDIR);
  if (removed.ok()) return removed;
  TRY(remove_belongings(directory_));
  removed = Result<void>(sys::unlink_at(sys::current_directory(), trash, AT_REMOVEDIR));
  if (!removed.ok() && removed.error().errno_value == ENOTEMPTY)
    removed.error().advise("what is left in it is not davit's: look at it, and remove it");
  return removed;
}

Result<void> Entry::check_removable() const {
  if (TRY(is_made_by_davit(directory_))) return {};
  Error error = make_error(Code::wrong_state, "not everything in " + root_ + "/" + id_ + " is davit's");
  return error.advise("nothing of it is removed: look into it, and remove by hand what is not needed");
}

// --- Store

Result<Store> Store::at(const std::string& root) {
  const std::string chosen = root.empty() ? default_root() : TRY(absolute_path(root));
  if (chosen == "/") {
    Error error = make_error(Code::invalid_argument, "cannot use / as the state directory");
    error.advise("give --root a directory of its own");
    return error;
  }
  return Store(chosen, root.empty(), root.empty() && !chosen.starts_with("/run/davit"));
}

Result<void> Store::make_root() const {
  auto made = sys::make_directories(root_, sticky_ ? 01700 : 0700);
  if (!made.ok()) return cannot_use(root_, made.error());
  return {};
}

Result<Entry> Store::reserve(const std::string& id) const {
  TRY(check_id(id));
  const std::string path = root_ + "/" + id;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto made = sys::make_directory_at(sys::current_directory(), path, kDirectoryMode);
    if (!made.ok() && made.error().errno_value == ENOENT) {
      TRY(make_root());
      continue;
    }
    const bool found = !made.ok() && made.error().errno_value == EEXIST;
    if (!made.ok() && !found) return cannot_use(root_, made.error());
    auto directory = sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!directory.ok() && missing(directory.error())) continue;
    if (!directory.ok()) {
      if (!found) give_up(path);
      return cannot_use(root_, directory.error());
    }
    Entry entry(root_, id, std::move(*directory));
    if (found && !TRY(is_made_by_davit(entry.directory()))) return foreign(path);
    auto claimed = claim(root_, entry);
    if (!claimed.ok() && claimed.error().code == Code::not_found) continue;
    if (claimed.ok() && found) claimed = remove_belongings(entry.directory());
    if (claimed.ok()) return entry;
    // Not what is another's by now.
    if (!found && claimed.error().code != Code::already_exists) give_up(path);
    return claimed.error();
  }
  return taken();
}

Result<Entry> Store::open(const std::string& id) const {
  TRY(check_id(id));
  auto directory = sys::open(root_ + "/" + id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory.ok() && missing(directory.error())) return not_there();
  if (!directory.ok()) return cannot_use(root_, directory.error());
  return Entry(root_, id, std::move(*directory));
}

void Store::sweep() const {
  (void)ids();  // which does it by the way
}

Result<std::vector<std::string>> Store::ids() const {
  const auto directory = sys::open(root_, O_RDONLY | O_DIRECTORY);
  if (!directory.ok() && is_default_ && missing(directory.error())) return std::vector<std::string>();
  if (!directory.ok()) return cannot_use(root_, directory.error());
  std::vector<std::string> ids;
  for (std::string& name : TRY(sys::list_directory(*directory))) {
    if (name.starts_with(kTrash))
      remove_trash(root_, name);
    else if (check_id(name).ok())
      ids.push_back(std::move(name));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace davit::container
