// SPDX-License-Identifier: Apache-2.0
// What init's {operation, detail, text} means to a reader. The quoted phrases are what engines match on.
#include <string_view>

#include "davit/program/printer.hpp"

namespace davit::program {
namespace {

using Words = Text<768>;

/// A failed operation with everything that is known about it.
struct Failure {
  std::span<const std::byte> image;
  const Operation& operation;
  const Message& message;

  template <typename T>
  [[nodiscard]] const T& as() const {
    return static_cast<const T&>(operation);
  }
  [[nodiscard]] std::string_view view(Str str) const { return text(image, str); }
  /// The text of the message, cut where a hostile sender forgot the NUL.
  [[nodiscard]] std::string_view said() const {
    const std::string_view all(message.text, sizeof message.text);
    return all.substr(0, all.find('\0'));
  }
};

Words& quoted(Words& words, std::string_view value) {
  return words.append("\"").append(value).append("\"");
}

void add_attributes(Words& words, const MountAttributes& own, const MountAttributes& recursive) {
  const std::string names = mount_attributes(own.set | recursive.set);
  if (!names.empty()) words.append(" (").append(names).append(")");
}

void say_mount(Words& words, const Failure& failure) {
  const auto& mount = failure.as<MountFilesystem>();
  words.append("mount ")
      .append(failure.view(mount.type))
      .append(" on ")
      .append(failure.view(mount.target.path));
  add_attributes(words, mount.attributes, {});
}

void say_device(Words& words, const Failure& failure) {
  const auto& device = failure.as<MakeDevice>();
  words.append("make device ").append(failure.view(device.path)).append(" (");
  words.append_number(device.major).append(":").append_number(device.minor).append(")");
}

void say_path(Words& words, const char* verb, std::string_view path) {
  words.append(verb);
  if (!path.empty()) words.append(" ").append(path);
}

void say_source(Words& words, const Failure& failure, std::string_view path, const char* where) {
  words.append(failure.message.error == ENOENT ? "find " : "open ").append(path).append(where);
}

void say_tree(Words& words, const Failure& failure) {
  const auto& tree = failure.as<OpenTree>();
  if (tree.path.length == 0)
    words.append("open the root filesystem");
  else
    say_source(words, failure, failure.view(tree.path),
               tree.root == kNoSlot ? " on the host" : " below the container's root");
}

/// The mount operations, masks and nodes. False for all others.
bool say_rootfs(Words& words, const Failure& failure) {
  switch (failure.operation.op) {
    case Op::enter_place:
      say_source(words, failure, failure.view(failure.as<EnterPlace>().host_path), " on the host");
      break;
    case Op::open_tree:
      say_tree(words, failure);
      break;
    case Op::attach_root:
      words.append("attach the root filesystem");
      break;
    case Op::mount_filesystem:
      say_mount(words, failure);
      break;
    case Op::mount_tree: {
      const auto& mount = failure.as<MountTree>();
      say_path(words, "bind mount on", failure.view(mount.target.path));
      add_attributes(words, mount.attributes, mount.recursive_attributes);
      break;
    }
    case Op::remount: {
      const auto& mount = failure.as<Remount>();
      say_path(words, "remount", failure.view(mount.target.path));
      add_attributes(words, mount.attributes, mount.recursive_attributes);
      break;
    }
    case Op::make_device:
      say_device(words, failure);
      break;
    case Op::make_symlink:
      say_path(words, "make symlink", failure.view(failure.as<MakeSymlink>().path));
      break;
    case Op::make_directory:
      say_path(words, "make directory", failure.view(failure.as<MakeDirectory>().path));
      break;
    case Op::mask_path:
      say_path(words, "mask", failure.view(failure.as<MaskPath>().path));
      break;
    case Op::protect_path:
      say_path(words, "make read-only", failure.view(failure.as<ProtectPath>().path));
      break;
    case Op::detach_mount:
      say_path(words, "unmount", failure.view(failure.as<DetachMount>().path));
      break;
    default:
      return false;
  }
  return true;
}

/// The way into namespaces. False for all others.
bool say_namespaces(Words& words, const Failure& failure) {
  switch (failure.operation.op) {
    case Op::unshare:
      words.append("unshare namespaces ").append(clone_flags(failure.as<Unshare>().types));
      break;
    case Op::fork_init:
      words.append("start the process");
      if (const u64 types = failure.as<ForkInit>().types; types != 0)
        words.append(" in namespaces ").append(clone_flags(types));
      break;
    case Op::join_namespaces:
      words.append("join the ").append(clone_flags(failure.message.value)).append(" namespace");
      break;
    case Op::join_process:
      words.append("join the namespaces of the container's init");
      break;
    case Op::set_time_offsets:
      words.append("set time offsets");
      break;
    default:
      return false;
  }
  return true;
}

bool say_settings(Words& words, const Failure& failure) {
  switch (failure.operation.op) {
    case Op::write_sysctl: {
      const auto& sysctl = failure.as<WriteSysctl>();
      words.append("write ");
      quoted(words, failure.view(sysctl.value)).append(" to /proc/").append(failure.view(sysctl.path));
      break;
    }
    // podman looks for `/proc/.../attr/...` in backticks.
    case Op::write_label:
      words.append("write to `/proc/thread-self/attr/")
          .append(failure.view(failure.as<WriteLabel>().attribute))
          .append("`");
      break;
    case Op::set_hostname:
      quoted(words.append("set hostname "), failure.view(failure.as<SetHostname>().name));
      break;
    case Op::set_domainname:
      quoted(words.append("set domainname "), failure.view(failure.as<SetDomainname>().name));
      break;
    case Op::join_keyring:
      words.append("create session keyring");
      break;
    case Op::loopback_up:
      words.append("bring up the loopback interface");
      break;
    case Op::attach_cgroup:
      say_path(words, "move init into its cgroup", failure.view(failure.as<AttachCgroup>().host_path));
      break;
    case Op::change_directory:
      words.append("change to the working directory ");
      quoted(words, failure.view(failure.as<ChangeDirectory>().path));
      break;
    case Op::set_home:
      words.append("look up HOME in the container's /etc/passwd");
      break;
    case Op::become_user:
      words.append("become user ")
          .append_number(failure.as<BecomeUser>().uid)
          .append(":")
          .append_number(failure.as<BecomeUser>().gid);
      break;
    case Op::load_seccomp:
      words.append("load the seccomp filter");
      break;
    case Op::release_capabilities:
      words.append("give up the capability to load a seccomp filter");
      break;
    case Op::no_new_privileges:
      words.append("set no_new_privs");
      break;
    case Op::open_console:
      words.append("open the console");
      break;
    default:
      return false;
  }
  return true;
}

/// Whether from here on init has leave to run the program.
bool is_start(const Operation& operation) {
  if (operation.op == Op::await_host) return static_cast<const AwaitHost&>(operation).point == Point::start;
  return operation.op == Op::wait_start;
}

/// Which of the config's hooks it is: those before the start are createContainer's; each kind counts from 0.
void say_hook(Words& words, const Failure& failure) {
  bool is_started = false;
  u32 number = 0;
  for_each_operation(failure.image, [&](const Operation& operation) {
    if (operation.index >= failure.operation.index) return;
    if (operation.op == Op::run_hook) ++number;
    if (is_start(operation)) is_started = true, number = 0;
  });
  words.append(failure.message.detail == Detail::hook_slow ? "waiting for " : "error running ");
  words.append(is_started ? "startContainer" : "createContainer").append(" hook #");
  words.append_number(number).append(": ");
  const auto value = static_cast<std::int64_t>(failure.message.value);
  const std::string_view path = failure.view(failure.as<RunHook>().path);
  switch (failure.message.detail) {
    case Detail::hook_exit:
      words.append(path).append(": exit status ").append_number(value);
      break;
    case Detail::hook_signal:
      words.append(path).append(": killed by signal ").append_number(value);
      break;
    case Detail::hook_timeout:
      words.append(path).append(": timed out after ").append_number(value).append("s");
      break;
    case Detail::hook_slow:
      words.append(path).append(" is still running");
      return;
    default:
      words.append("start ").append(path);
      return;
  }
  words.append(", stdout/stderr: ").append(failure.said());
}

std::string_view program_name(const Failure& failure) {
  if (failure.operation.op == Op::find_program) return failure.view(failure.as<FindProgram>().name);
  const auto& header = *reinterpret_cast<const Header*>(failure.image.data());
  const List<Str> arguments = failure.as<Execute>().arguments;
  Str first;
  const std::size_t at = std::size_t{header.data} + arguments.offset;
  if (arguments.count > 0 && at + sizeof first <= failure.image.size())
    __builtin_memcpy(&first, failure.image.data() + at, sizeof first);
  return failure.view(first);
}

const char* machine_name(u64 machine) {
  switch (machine) {
    case 3:
      return "i386";
    case 8:
      return "mips";
    case 20:
      return "ppc";
    case 21:
      return "ppc64";
    case 22:
      return "s390x";
    case 40:
      return "arm";
    case 62:
      return "x86_64";
    case 183:
      return "aarch64";
    case 243:
      return "riscv64";
    case 258:
      return "loongarch64";
    default:
      return "another machine";
  }
}

void say_program(Words& words, const Failure& failure) {
  const std::string_view name = program_name(failure);
  const auto quote = [&]() -> Words& { return quoted(words.append("exec: "), name).append(": "); };
  const auto plain = [&]() -> Words& { return words.append("exec ").append(name).append(": "); };
  switch (failure.message.detail) {
    case Detail::not_in_path:
      quote().append("executable file not found in $PATH");
      if (!failure.said().empty()) words.append(": ").append(failure.said()).append(" may not be executed");
      break;
    case Detail::no_such_file:
      quote().append("stat ").append(name).append(": no such file or directory");
      break;
    case Detail::is_directory:
      quote().append("is a directory");
      break;
    case Detail::not_executable:
      quote().append("permission denied");
      break;
    case Detail::noexec_mount:
      quote().append("permission denied: it lies on a mount with the option noexec");
      break;
    case Detail::interpreter_not_executable:
      plain()
          .append("permission denied: its interpreter ")
          .append(failure.said())
          .append(" may not be executed");
      break;
    case Detail::no_interpreter:
      plain()
          .append("no such file or directory: its interpreter ")
          .append(failure.said())
          .append(" is missing");
      break;
    case Detail::crlf_interpreter:
      plain().append("no such file or directory: its first line ends in CR LF, as on DOS");
      break;
    case Detail::wrong_architecture:
      plain().append("exec format error: it is built for ").append(machine_name(failure.message.value));
      break;
    case Detail::bad_format:
      plain().append("exec format error: neither an ELF program nor a script that begins with #!");
      break;
    default:
      words.append("exec ").append(name);
      break;
  }
}

/// What a detail adds behind the phrase of the operation.
const char* phrase_of(Detail detail) {
  switch (detail) {
    case Detail::resolve_target:
      return "find the target";
    case Detail::inside_proc:
      return "it cannot be mounted because it is inside /proc";
    case Detail::create_target:
      return "create the target";
    case Detail::open_filesystem:
      return "unknown filesystem type";
    case Detail::set_attributes:
      return "set mount attributes";
    case Detail::copy_up:
      return "copy what the image has there";
    case Detail::clone_tree:
      return "clone the mount";
    case Detail::file_on_directory:
      return "the source is a file, the target a directory";
    case Detail::directory_on_file:
      return "the source is a directory, the target a file";
    case Detail::wrong_device:
      return "another device or file is already there";
    case Detail::not_dev_null:
      return "/dev/null of the host is not the null device";
    case Detail::no_null_device:
      return "one is the host's /dev/null, and the container has none of its own to take its place";
    case Detail::not_devpts:
      return "/dev/pts/ptmx is not in a devpts";
    case Detail::open_ptmx:
      return "open /dev/pts/ptmx";
    case Detail::grant_pty:
      return "set up the pty";
    case Detail::bind_console:
      return "bind the pty on /dev/console";
    case Detail::controlling_terminal:
      return "make it the controlling terminal";
    case Detail::not_procfs:
      return "/proc is not a procfs";
    case Detail::open_file:
      return "open";
    case Detail::set_groups:
      return "setgroups";
    case Detail::set_gid:
      return "setgid";
    case Detail::set_uid:
      return "setuid";
    case Detail::send_listener:
      return "send the listener";
    default:
      return "";
  }
}

void say_operation(Words& words, const Failure& failure) {
  if (!say_rootfs(words, failure) && !say_namespaces(words, failure) && !say_settings(words, failure)) {
    // The name is the sentence, and each word of it stands alone.
    for (const char* c = name(failure.operation.op); *c != '\0'; ++c) words.append(*c == '_' ? ' ' : *c);
  }
  const Detail detail = failure.message.detail;
  if (detail == Detail::not_ordinary_directory) {
    words.append(": filesystem ");
    const bool is_mount = failure.operation.op == Op::mount_filesystem;
    quoted(words, is_mount ? failure.view(failure.as<MountFilesystem>().type) : "bind");
    words.append(" must be mounted on ordinary directory");
    return;
  }
  if (const char* phrase = phrase_of(detail); phrase[0] != '\0') words.append(": ").append(phrase);
  if (!failure.said().empty()) words.append(": ").append(failure.said());
}

}  // namespace

bool explains_itself(Detail detail) {
  switch (detail) {
    case Detail::not_ordinary_directory:
    case Detail::inside_proc:
    case Detail::outside_root:
    case Detail::hook_exit:
    case Detail::hook_signal:
    case Detail::hook_timeout:
    case Detail::hook_slow:
      return true;
    default:
      return detail >= Detail::not_in_path;
  }
}

Text<768> describe_failure(const Program& program, const Message& message) {
  Words words;
  const Operation* operation = find_operation(program.image, message.operation);
  if (operation == nullptr) return words.append("operation ").append_number(message.operation);
  const Failure failure{program.image, *operation, message};
  if (message.type == MessageType::capabilities_left) {
    const bool is_ambient = message.detail == Detail::raise_ambient;
    words.append(is_ambient ? "can't raise ambient capability " : "cannot be granted: ");
    return words.append(capabilities(message.value));
  }
  if (message.detail == Detail::outside_root)
    return words.append("the working directory lies outside of the container (an attempt to break out?)");
  switch (operation->op) {
    case Op::run_hook:
      say_hook(words, failure);
      break;
    case Op::find_program:
    case Op::execute:
      say_program(words, failure);
      break;
    default:
      say_operation(words, failure);
      break;
  }
  return words;
}

}  // namespace davit::program
